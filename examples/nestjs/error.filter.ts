import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common'
import type { Request, Response } from 'express'
import { failurePage } from '../shop/pages.js'
import { visitorOf } from './session.js'

/** Answers what a controller threw for the visitor to know; Nest itself answers the rest, and logs it. */
@Catch(HttpException)
export class ErrorFilter implements ExceptionFilter<HttpException> {
  catch(error: HttpException, host: ArgumentsHost): void {
    const http = host.switchToHttp()
    const req = http.getRequest<Request>()
    const res = http.getResponse<Response>()
    res.status(error.getStatus())
    if (req.accepts(['json', 'html']) === 'html') res.send(failurePage(error.message, visitorOf(req)))
    else res.json({ error: error.message })
  }
}
