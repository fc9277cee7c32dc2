/**
 * A module and decorators for NestJS 10 to 12 on Express, and for NestJS 11 and 12 on Fastify.
 *
 * @packageDocumentation
 */

import {
  type CallHandler,
  type DynamicModule,
  type ExecutionContext,
  type FactoryProvider,
  Inject,
  type MiddlewareConsumer,
  Module,
  type ModuleMetadata,
  type NestInterceptor,
  type NestModule,
  type OnApplicationShutdown,
  UseInterceptors,
} from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import { type Observable, tap } from 'rxjs'
import type { TrackingConfig } from '../config/config.js'
import type { EventName, TrackEvents, Tracker } from '../model/tracker.js'
import { internals } from '../tracker/internals.js'
import type { Tracking } from '../tracker/tracking.js'
import { createTracking } from '../tracking.js'
import { hasInternals } from './adapter.js'
import { expressTracking } from './express.js'
import { fastifyTracking } from './fastify.js'

const TRACKING = Symbol.for('reqtrack.nestjs.tracking')
const TRACKER = Symbol.for('reqtrack.nestjs.tracker')

/** How {@link TrackingModule.forRootAsync} gets its config. */
export interface TrackingModuleOptions<Injected extends unknown[] = never[]>
  extends Pick<ModuleMetadata, 'imports'> {
  /** What is injected into `useFactory`, in this order. */
  readonly inject?: NonNullable<FactoryProvider['inject']>
  /** Gives the config, or a tracking that was made already. */
  readonly useFactory: (
    ...injected: Injected
  ) => TrackingConfig | Tracking | Promise<TrackingConfig | Tracking>
}

/**
 * Puts a tracker on every request of a Nest application, on the Express and on the Fastify platform, and delivers what is
 * left in the application's shutdown: call `app.enableShutdownHooks()`. It is global: import it once.
 *
 * @example
 * @Module({ imports: [TrackingModule.forRoot({ settings: { writeKey } })], controllers: [OrdersController] })
 * class AppModule {}
 */
export class TrackingModule implements NestModule, OnApplicationShutdown {
  readonly #host: HttpAdapterHost
  readonly #tracking: Tracking

  constructor(host: HttpAdapterHost, tracking: Tracking) {
    this.#host = host
    this.#tracking = tracking
  }

  /**
   * The module with its config.
   *
   * @param given - What `createTracking` takes, or a tracking that was made already, as in tests.
   * @throws One error that lists every problem of the config, when the application is made.
   */
  static forRoot(given: TrackingConfig | Tracking): DynamicModule {
    return TrackingModule.forRootAsync({ useFactory: () => given })
  }

  /** The module with a config that other providers know. */
  static forRootAsync<Injected extends unknown[]>({
    imports = [],
    inject = [],
    useFactory,
  }: TrackingModuleOptions<Injected>): DynamicModule {
    return {
      module: TrackingModule,
      global: true,
      imports,
      providers: [
        {
          provide: TRACKING,
          inject,
          useFactory: async (...injected: Injected) => trackingOf(await useFactory(...injected)),
        },
        { provide: TRACKER, inject: [TRACKING], useFactory: ambientTracker },
      ],
      exports: [TRACKING, TRACKER],
    }
  }

  /** Mounts the middleware before all routes; an application without HTTP, such as a microservice, has none. */
  configure(_consumer: MiddlewareConsumer): void {
    const adapter = this.#host.httpAdapter
    if (!adapter) return
    if (adapter.getType() === 'fastify') {
      adapter.getInstance().register(fastifyTracking, { tracking: this.#tracking, shutdown: false })
    } else adapter.use(expressTracking(this.#tracking))
  }

  /** Nest calls it when the connections are closed. */
  async onApplicationShutdown(): Promise<void> {
    await this.#tracking.shutdown()
  }
}

// Applied by hand: decorators of TypeScript's old kind would ask every reader of this file for a compiler option.
Module({})(TrackingModule)
Inject(HttpAdapterHost)(TrackingModule, undefined, 0)
Inject(TRACKING)(TrackingModule, undefined, 1)

/** Injects the application's {@link Tracking}. */
export function InjectTracking(): ParameterDecorator & PropertyDecorator {
  return Inject(TRACKING)
}

/**
 * Injects a {@link Tracker} that is always the running request's or run's, so that no provider has to be request-scoped.
 * Where none runs, what is tracked is nobody's, and dropped as `identity`.
 */
export function InjectTracker(): ParameterDecorator & PropertyDecorator {
  return Inject(TRACKER)
}

/** What an event is given for a handler's result. */
export type EventData<N extends EventName, Result> = (
  result: Result,
  context: ExecutionContext,
) => (N extends keyof TrackEvents ? TrackEvents[N] : object) | undefined

/**
 * Tracks an event when a controller's method has succeeded: not if a guard refuses, or the method throws. An observable has
 * succeeded when it completes, with its last value.
 *
 * @param name - The event's name.
 * @param data - Makes the event's data of what the method gives. It is required, because whole entities are nobody's to send.
 * @throws TypeError without one.
 *
 * @example
 * @Post()
 * @TrackEvent('order complete', (order: Order) => ({ id: order.id, total: order.total }))
 * create(@Body() given: NewOrder) {
 *   return this.orders.create(given)
 * }
 */
export function TrackEvent<N extends EventName, Result = unknown>(
  name: N,
  data: EventData<N, Result>,
): MethodDecorator {
  if (typeof data !== 'function') {
    throw new TypeError(
      `@TrackEvent(${JSON.stringify(name)}) was given ${typeof data} for the data: expected a function, such as (order) => ({ id: order.id })`,
    )
  }
  class TrackEventInterceptor implements NestInterceptor<Result, Result> {
    readonly #tracking: Tracking

    constructor(tracking: Tracking) {
      this.#tracking = tracking
    }

    intercept(context: ExecutionContext, next: CallHandler<Result>): Observable<Result> {
      // The last value of an observable is the answer, once it has completed: until then the method may still fail.
      let answer: { readonly result: Result } | undefined
      return next.handle().pipe(
        tap({
          next: (result) => {
            answer = { result }
          },
          complete: () => {
            if (!answer) return
            const { result } = answer
            trackResult(this.#tracking, name, () => data(result, context))
          },
        }),
      )
    }
  }
  Inject(TRACKING)(TrackEventInterceptor, undefined, 0)
  return UseInterceptors(TrackEventInterceptor)
}

/** What the application's function throws must not change the answer. */
function trackResult(tracking: Tracking, name: string, data: () => object | undefined): void {
  try {
    const track: ((name: string, data?: object) => void) | undefined = tracking.current()?.track
    track?.(name, data())
  } catch (error) {
    if (hasInternals(tracking)) tracking[internals].fault(`the data of @TrackEvent('${name}') failed`, error)
  }
}

function trackingOf(given: TrackingConfig | Tracking): Tracking {
  return isTracking(given) ? given : createTracking(given)
}

function isTracking(given: TrackingConfig | Tracking): given is Tracking {
  return hasInternals(given)
}

/** A tracker that is the running one, whenever it is looked at. */
function ambientTracker(tracking: Tracking): Tracker {
  const nobodys = tracking.forSender({ name: 'outside of a request' })
  return new Proxy(nobodys, {
    get(target, key) {
      const running = tracking.current() ?? target
      return Reflect.get(running, key, running)
    },
  })
}
