import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  HttpCode,
  NotFoundException,
  Post,
  Req,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common'
import type { Request } from 'express'
import type { Tracker } from 'reqtrack'
import { InjectTracker } from 'reqtrack/nestjs'
import { companies, customers, findById } from '../shop/catalogue.js'
import { renewSession } from './session.js'

/** Lets in who has signed in. */
class CustomerGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { session } = context.switchToHttp().getRequest<Request>()
    if (session.userId === undefined) throw new UnauthorizedException('Sign in first.')
    return true
  }
}

/** What concerns a customer. */
@Controller()
export class CustomerController {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @Post('login')
  @HttpCode(200)
  async login(@Req() req: Request, @Body('user') user: unknown) {
    const customer = findById(customers, user)
    if (!customer) throw new UnauthorizedException('Nobody here by that name: try ada or grace.')
    const { visitorId } = req.session
    await renewSession(req)
    Object.assign(req.session, { visitorId, userId: customer.id })
    const { id, name, email } = customer
    this.tracker.track('user login', { id, name, email })
    return { message: `Welcome, ${name}.` }
  }

  @Post('newsletter')
  @HttpCode(200)
  @UseGuards(CustomerGuard)
  newsletter() {
    this.tracker.identify({ newsletter: true })
    return { message: 'You are on the list.' }
  }

  @Post('company')
  @HttpCode(200)
  @UseGuards(CustomerGuard)
  company(@Req() req: Request, @Body('company') id: unknown) {
    const company = findById(companies, id)
    if (!company) throw new NotFoundException('There is no such company: try engines or compilers.')
    req.session.companyId = company.id
    this.tracker.group(company.id, { name: company.name, plan: company.plan })
    return { message: `You now buy for ${company.name}.` }
  }

  @Post('logout')
  @HttpCode(200)
  @UseGuards(CustomerGuard)
  async logout(@Req() req: Request) {
    // Tracked while the session still says who it is: what an event knows then stays with it.
    this.tracker.track('user logout')
    await renewSession(req)
    return { message: 'Good bye.' }
  }
}
