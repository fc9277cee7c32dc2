import 'reflect-metadata'
import { Controller, type ExecutionContext, Get, Injectable, Module, Param, Post } from '@nestjs/common'
import type { Tracker, Tracking } from 'reqtrack'
import { createTracking } from 'reqtrack'
import { InjectTracker, InjectTracking, TrackEvent, TrackingModule } from 'reqtrack/nestjs'
import { OrdersModule } from './orders.cjs'

interface Order {
  id: string
  total: number
}

@Injectable()
export class Stock {
  @InjectTracking() readonly property!: Tracking

  constructor(
    @InjectTracker() private readonly tracker: Tracker,
    @InjectTracking() readonly tracking: Tracking,
  ) {}

  reserve(): void {
    this.tracker.track('session start', { method: 'passkey' })
    // @ts-expect-error: no such event
    this.tracker.track('session started')
  }
}

@Controller('orders')
export class OrdersController {
  constructor(readonly stock: Stock) {}

  @Post()
  @TrackEvent('order complete', ({ total }: Order) => ({ total }))
  create(): Order {
    return { id: 'A-1', total: 42 }
  }

  @Get(':id')
  @TrackEvent('order complete', (order: Order | undefined, context: ExecutionContext) =>
    order && context.getType() === 'http' ? { total: order.total } : undefined,
  )
  async find(@Param('id') id: string): Promise<Order | undefined> {
    return id === 'A-1' ? { id, total: 42 } : undefined
  }
}

// @ts-expect-error: no such event
TrackEvent('order completed', () => ({ total: 42 }))
// @ts-expect-error: the function is missing
TrackEvent('order complete')
// @ts-expect-error: a property is missing
TrackEvent('order complete', () => ({ coupon: 'SUMMER' }))
// @ts-expect-error: a property is of another type
TrackEvent('order complete', () => ({ total: '42' }))

class Config {
  readonly writeKey = 'KEY'
}

@Module({
  imports: [
    OrdersModule,
    TrackingModule.forRoot({ settings: { writeKey: 'KEY' } }),
    TrackingModule.forRoot(createTracking({ settings: { writeKey: 'KEY' } })),
    TrackingModule.forRootAsync({
      inject: [Config],
      useFactory: async ({ writeKey }: Config) => ({ settings: { writeKey } }),
    }),
  ],
  controllers: [OrdersController],
  providers: [Stock],
})
export class AppModule {}

// @ts-expect-error: the write key is missing
TrackingModule.forRoot({ settings: {} })
// @ts-expect-error: the factory is missing
TrackingModule.forRootAsync({})
