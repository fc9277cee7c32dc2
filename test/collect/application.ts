import express, { type ErrorRequestHandler, type Express } from 'express'
import type { RequestHandler } from '../../src/frameworks/express.js'

/** An application with the endpoint at `/collect`, behind a body parser or not. It quotes no error. */
export function createExpressApp(hasParser: boolean, collect: RequestHandler): Express {
  const app = express()
  if (hasParser) app.use(express.json({ limit: '1mb' }))
  app.use('/collect', collect)
  const quiet: ErrorRequestHandler = (error, _req, res, _next) => {
    res.status(typeof error?.status === 'number' ? error.status : 500).send('no')
  }
  return app.use(quiet)
}
