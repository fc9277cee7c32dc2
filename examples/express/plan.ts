import { definePlan } from 'reqtrack/plan'
import { z } from 'zod'

const order = { id: z.string(), total: z.number().positive(), currency: z.string().length(3) }
const product = { id: z.string(), name: z.string(), price: z.number().positive() }

/**
 * The shop's tracking plan: what its handlers may track, and with which data. Where they do otherwise, the log says so once
 * and the inspector shows it; the event is sent all the same.
 *
 * One source for types, too, in an application of its own:
 *
 *     declare module 'reqtrack' {
 *       interface TrackEvents extends PlannedEvents<typeof plan> {}
 *     }
 */
export const plan = definePlan({
  events: {
    'page view': z.object({ category: z.string(), title: z.string() }),
    'product view': z.object({ ...product, currency: z.string().length(3) }),
    'order complete': z.object(order),
    // Of the worker in examples/worker.
    'invoice send': z.object(order),
    'user login': z.object({ id: z.string(), name: z.string(), email: z.email() }),
    'user logout': z.object({}),
    // The handler of /stock has yet to say which product: see the inspector.
    'stock request': z.object({ product: z.string() }),
  },
  identify: z.object({ newsletter: z.boolean() }).partial(),
  group: z.object({ name: z.string(), plan: z.enum(['free', 'team', 'enterprise']) }),
})
