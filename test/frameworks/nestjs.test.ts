import 'reflect-metadata'
import {
  type CanActivate,
  Controller,
  type DynamicModule,
  type ExecutionContext,
  ForbiddenException,
  Get,
  Global,
  type INestApplication,
  Module,
  Param,
  UseGuards,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { concat, of, throwError } from 'rxjs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { InjectTracker, InjectTracking, TrackEvent, TrackingModule } from '../../src/frameworks/nestjs.js'
import type { Tracker, Tracking } from '../../src/index.js'
import { type RecordedTracking, recordTracking } from '../../src/testing/index.js'
import { visitor } from '../support/servers.js'

interface Platform {
  readonly name: string
  make(module: DynamicModule): Promise<INestApplication>
}

const platforms: readonly Platform[] = [
  { name: 'Express', make: (module) => NestFactory.create(module, { logger: false }) },
  {
    name: 'Fastify',
    make: (module) => NestFactory.create(module, new FastifyAdapter() as never, { logger: false }),
  },
]

/** A service that knows no request. */
class Stock {
  constructor(readonly tracker: Tracker) {}

  async reserve(id: string): Promise<void> {
    await new Promise(setImmediate)
    this.tracker.track('stock reserve', { id })
  }
}

class Refuse implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<{ url: string }>().url !== '/orders/refused'
  }
}

class OrdersController {
  constructor(
    readonly stock: Stock,
    readonly tracking: Tracking,
  ) {}

  async complete(id: string): Promise<object> {
    await this.stock.reserve(id)
    if (id === 'broken') throw new ForbiddenException()
    return { id, total: 42, secret: 's3cret', current: this.tracking.current() !== undefined }
  }

  observed(): unknown {
    return of({ id: 'observed' })
  }

  several(): unknown {
    return of({ id: 'first' }, { id: 'last' })
  }

  breaking(): unknown {
    return concat(
      of({ id: 'begun' }),
      throwError(() => new ForbiddenException()),
    )
  }

  failing(): string {
    return 'hello'
  }
}

// As a compiler with decorators does it.
Inject0(Stock, InjectTracker())
Inject0(OrdersController, (target, key) => injectClass(Stock)(target, key, 0))
InjectTracking()(OrdersController, undefined, 1)
Controller('orders')(OrdersController)
on(
  'complete',
  UseGuards(Refuse),
  Get(':id'),
  TrackEvent('order complete', (order: { id: string; total: number }) => ({
    id: order.id,
    total: order.total,
  })),
)
Param('id')(OrdersController.prototype, 'complete', 0)
on(
  'observed',
  Get('as/observable'),
  TrackEvent('order observe', ({ id }: { id: string }) => ({ id })),
)
on(
  'several',
  Get('as/several'),
  TrackEvent('order observe', ({ id }: { id: string }) => ({ id })),
)
on(
  'breaking',
  Get('as/breaking'),
  TrackEvent('order observe', ({ id }: { id: string }) => ({ id })),
)
on(
  'failing',
  Get('as/failing'),
  TrackEvent('order fail', () => {
    throw new Error('the data are broken')
  }),
)

function on(
  method: 'complete' | 'observed' | 'several' | 'breaking' | 'failing',
  ...decorators: MethodDecorator[]
): void {
  const descriptor = Object.getOwnPropertyDescriptor(OrdersController.prototype, method)
  if (!descriptor) throw new Error(`there is no ${method}`)
  for (const decorate of decorators) decorate(OrdersController.prototype, method, descriptor)
}

function Inject0(target: object, inject: ParameterDecorator): void {
  inject(target, undefined, 0)
}

function injectClass(token: new (...given: never[]) => object): ParameterDecorator {
  return (target, key, index) => {
    const known = Reflect.getMetadata('self:paramtypes', target) ?? []
    Reflect.defineMetadata('self:paramtypes', [...known, { index, param: token }], target)
    return key as undefined
  }
}

function appModule(tracking: DynamicModule): DynamicModule {
  class AppModule {}
  Module({})(AppModule)
  return { module: AppModule, imports: [tracking], controllers: [OrdersController], providers: [Stock] }
}

describe.each(platforms)('TrackingModule on $name', ({ make }) => {
  async function start(recorded: RecordedTracking, module = TrackingModule.forRoot(recorded)) {
    const app = await make(appModule(module))
    onTestFinished(() => app.close())
    await app.listen(0, '127.0.0.1')
    const url = await app.getUrl()
    return {
      app,
      get: (path: string) => fetch(url + path, { headers: { ...visitor('somebody'), connection: 'close' } }),
    }
  }

  it('tracks what a method gives, and what services track that know no request', async () => {
    const recorded = recordTracking()
    const { get } = await start(recorded)
    const answer = await get('/orders/A-1')
    expect(await answer.json()).toEqual({ id: 'A-1', total: 42, secret: 's3cret', current: true })
    expect(await (await get('/orders/as/observable')).json()).toEqual({ id: 'observed' })
    await recorded.settled()
    expect(recorded.calls).toMatchObject([
      { event: 'stock reserve', anonymousId: 'somebody', properties: { id: 'A-1' } },
      { event: 'order complete', anonymousId: 'somebody' },
      { event: 'order observe', properties: { id: 'observed' } },
    ])
    expect(recorded.calls[1]).toHaveProperty('properties', { id: 'A-1', total: 42 })
  })

  it('tracks an observable once: its last value, which is the answer, when it has completed', async () => {
    const recorded = recordTracking()
    const { get } = await start(recorded)
    expect(await (await get('/orders/as/several')).json()).toEqual({ id: 'last' })
    expect((await get('/orders/as/breaking')).status).toBe(403)
    await recorded.settled()
    expect(recorded.calls).toMatchObject([{ event: 'order observe', properties: { id: 'last' } }])
    expect(recorded.calls).toHaveLength(1)
  })

  it('tracks no success where a guard refuses or the method throws', async () => {
    const recorded = recordTracking()
    const { get } = await start(recorded)
    expect((await get('/orders/refused')).status).toBe(403)
    expect((await get('/orders/broken')).status).toBe(403)
    await recorded.settled()
    expect(recorded.calls.map((call) => call.type === 'track' && call.event)).toEqual(['stock reserve'])
  })

  it('answers where the function of the data throws, and says so', async () => {
    const errors: unknown[] = []
    const recorded = recordTracking({
      on: { error: (error) => errors.push(error) },
      logger: { handler: () => {} },
    })
    const { get } = await start(recorded)
    expect(await (await get('/orders/as/failing')).text()).toBe('hello')
    expect(errors).toEqual([new Error('the data are broken')])
  })

  it('has its config from other providers, and delivers before the application has closed', async () => {
    const recorded = recordTracking()
    class Settings {
      readonly tracking = recorded
    }
    class SettingsModule {}
    Global()(SettingsModule)
    Module({ providers: [Settings], exports: [Settings] })(SettingsModule)
    const module = TrackingModule.forRootAsync({
      imports: [SettingsModule],
      inject: [Settings],
      useFactory: async (settings: Settings) => settings.tracking,
    })
    const { app, get } = await start(recorded, module)
    await (await get('/orders/A-1')).text()
    await app.close()
    expect(recorded.calls).toHaveLength(2)
    recorded.run({}, (tracker) => tracker.track('order view'))
    expect(recorded.stats().events.dropped.closed).toBe(1)
  })

  it("drops what is tracked where no request runs, as nobody's", async () => {
    const recorded = recordTracking()
    const { app } = await start(recorded)
    await app.get(Stock).reserve('A-1')
    await recorded.settled()
    expect(recorded.drops).toMatchObject([{ reason: 'identity' }])
  })
})

describe('TrackEvent()', () => {
  it('wants a function for the data', () => {
    expect(() => TrackEvent('order complete', undefined as never)).toThrow('was given undefined for the data')
  })
})
