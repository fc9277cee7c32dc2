import { Controller, Get, Module } from '@nestjs/common'
import type { Tracker } from 'reqtrack'
import { InjectTracker, TrackEvent } from 'reqtrack/nestjs'

@Controller('shop')
class ShopController {
  constructor(@InjectTracker() readonly tracker: Tracker) {}

  @Get()
  @TrackEvent('order complete', (total: number) => ({ total }))
  total(): number {
    this.tracker.track('order complete', { total: 42 })
    // @ts-expect-error: a property is missing
    this.tracker.track('order complete', {})
    return 42
  }
}

/** A CommonJS part of the same application. */
@Module({ controllers: [ShopController] })
export class OrdersModule {}
