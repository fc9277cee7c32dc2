import 'reflect-metadata'
import { randomUUID } from 'node:crypto'
import { NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import type { RequestHandler } from 'express'
import session from 'express-session'
import type { Tracking } from 'reqtrack'
import { expressCollect } from 'reqtrack/express'
import { TrackingModule } from 'reqtrack/nestjs'
import { CustomerController } from './customer.controller.js'
import { ErrorFilter } from './error.filter.js'
import { ShopController } from './shop.controller.js'

class ShopModule {}

/** A small shop. Its controllers say what happened; `../shop/tracking.ts` says what becomes of it. */
export async function createApp(tracking: Tracking): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(
    {
      module: ShopModule,
      imports: [TrackingModule.forRoot(tracking)],
      controllers: [ShopController, CustomerController],
    },
    { logger: ['error', 'warn'] },
  )
  app.use(
    session({
      secret: process.env.SESSION_SECRET ?? randomUUID(),
      resave: false,
      saveUninitialized: false,
      cookie: { sameSite: 'lax' },
    }),
  )
  app.use(nameVisitor)
  // After the session, which says who the visitor is.
  app.use('/collect', expressCollect(tracking, { events: ['product view'] }))
  app.useGlobalFilters(new ErrorFilter())
  return app
}

const nameVisitor: RequestHandler = (req, _res, next) => {
  req.session.visitorId ??= randomUUID()
  next()
}
