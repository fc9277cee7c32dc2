import 'reflect-metadata'
import type { RequestListener } from 'node:http'
import { All, Controller, type DynamicModule, type INestApplication, Next, Req, Res } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import type { NextFunction, Request, Response } from 'express'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { TrackingModule } from '../../src/frameworks/nestjs.js'
import type { Tracking } from '../../src/index.js'
import { addEmptyHooks, type Handlers, trackerOf } from './frameworks.js'
import type { Gate } from './gate.js'

export async function serveNestOnExpress(
  { before, express: handle }: Handlers,
  gate: Gate,
  tracking: Tracking | undefined,
): Promise<RequestListener> {
  @Controller()
  class Everything {
    @All(['', '*path'])
    async handle(@Req() req: Request, @Res() res: Response, @Next() next: NextFunction): Promise<void> {
      await handle({ req, res, next, gate, track: trackerOf(req) })
    }
  }
  const app = await NestFactory.create(moduleOf(Everything, tracking), { logger: false, bodyParser: false })
  if (before) {
    app.use((req: Request, res: Response, next: NextFunction) => before.express({ req, res, next, gate }))
  }
  await app.init()
  return app.getHttpAdapter().getInstance()
}

export async function serveNestOnFastify(
  { before, fastify: handle }: Handlers,
  gate: Gate,
  tracking: Tracking | undefined,
): Promise<RequestListener> {
  @Controller()
  class Everything {
    @All('*')
    async handle(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      const given = await handle({ request, reply, gate, track: trackerOf(request) })
      if (typeof given === 'string') reply.send(given)
    }
  }
  const app: INestApplication = await NestFactory.create(
    moduleOf(Everything, tracking),
    new FastifyAdapter() as never,
    { logger: false, bodyParser: false },
  )
  const server: FastifyInstance = app.getHttpAdapter().getInstance()
  if (before) {
    server.addHook('onRequest', (request, reply, next) => void before.fastify({ request, reply, gate }, next))
  }
  if (!tracking) addEmptyHooks(server)
  server.addContentTypeParser('*', (_request, _payload, done) => done(null))
  await app.init()
  await server.ready()
  return (req, res) => server.routing(req, res)
}

function moduleOf(controller: new () => object, tracking: Tracking | undefined): DynamicModule {
  return {
    module: class {},
    controllers: [controller],
    imports: tracking ? [TrackingModule.forRoot(tracking)] : [],
  }
}
