import 'reflect-metadata'
import { Controller, Injectable, Module, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { Tracker } from 'reqtrack'
import { InjectTracker, TrackEvent, TrackingModule } from 'reqtrack/nestjs'

interface Order {
  id: string
  total: number
}

@Injectable()
class Stock {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  reserve(): void {
    this.tracker.track('stock reserve')
    // @ts-expect-error: a tracker has no such method
    this.tracker.reserve?.()
  }
}

@Controller('orders')
class OrdersController {
  constructor(private readonly stock: Stock) {}

  @Post()
  @TrackEvent('order complete', ({ id, total }: Order) => ({ id, total }))
  create(): Order {
    this.stock.reserve()
    return { id: 'A-1', total: 42 }
  }
}

@Module({
  imports: [
    TrackingModule.forRootAsync({
      useFactory: async () => ({
        settings: { writeKey: process.env.SEGMENT_WRITE_KEY ?? '', host: process.env.SEGMENT_HOST ?? '' },
        mapping: { order: { complete: { name: 'Order Completed' } } },
      }),
    }),
  ],
  controllers: [OrdersController],
  providers: [Stock],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: false })
  // Without it Nest ends the process by the signal itself, when its hooks are done.
  app.enableShutdownHooks([], { useProcessExit: true })
  await app.listen(Number(process.env.PORT))
}

void main()
