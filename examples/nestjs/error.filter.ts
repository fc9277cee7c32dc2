import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common'
import type { Response } from 'express'

/** Answers what a controller threw for the visitor to know; Nest itself answers the rest, and logs it. */
@Catch(HttpException)
export class ErrorFilter implements ExceptionFilter<HttpException> {
  catch(error: HttpException, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<Response>().status(error.getStatus()).json({ error: error.message })
  }
}
