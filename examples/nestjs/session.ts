import type { Request } from 'express'
import { companies, customers, findById } from '../shop/catalogue.js'
import type { Visitor } from '../shop/pages.js'

declare module 'express-session' {
  interface SessionData {
    /** Names a visitor before they sign in, and stays with them when they do. */
    visitorId: string
    userId: string
    companyId: string
  }
}

export function visitorOf({ session }: Request): Visitor {
  return {
    customer: findById(customers, session.userId),
    company: findById(companies, session.companyId),
  }
}

/** A new session whenever somebody signs in or out, so that a session id known from before is worth nothing. */
export function renewSession(req: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    req.session.regenerate((error) => (error ? reject(error) : resolve()))
  })
}
