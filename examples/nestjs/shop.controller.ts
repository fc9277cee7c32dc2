import {
  BadRequestException,
  Body,
  Controller,
  Get,
  NotFoundException,
  Param,
  Post,
  Req,
  ServiceUnavailableException,
} from '@nestjs/common'
import type { Request } from 'express'
import type { Tracker } from 'reqtrack'
import { InjectTracker, TrackEvent } from 'reqtrack/nestjs'
import { CURRENCY, findById, products, quantityOf } from '../shop/catalogue.js'
import { cataloguePage, productPage } from '../shop/pages.js'
import { visitorOf } from './session.js'

interface OrderFields {
  readonly product?: unknown
  readonly quantity?: unknown
}

/** What everybody may do. */
@Controller()
export class ShopController {
  #orders = 1000

  // Made once, and always the tracker of the running request.
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @Get()
  @TrackEvent('page view', () => ({ category: 'Shop', title: 'Catalogue' }))
  catalogue(@Req() req: Request) {
    return cataloguePage(visitorOf(req))
  }

  @Get('products/:id')
  product(@Param('id') id: string, @Req() req: Request) {
    const product = findById(products, id)
    if (!product) throw new NotFoundException('There is no such product.')
    return productPage(product, visitorOf(req))
  }

  @Post('orders')
  order(@Body() fields?: OrderFields) {
    const product = findById(products, fields?.product)
    if (!product) throw new NotFoundException(`There is no such product: try ${products[0]?.id}.`)
    const quantity = quantityOf(fields?.quantity)
    if (quantity === undefined) throw new BadRequestException('The quantity is a number from 1 to 20.')
    const order = { id: `A-${++this.#orders}`, total: product.price * quantity, currency: CURRENCY }
    const { id, name, price } = product
    this.tracker.track('order complete', order, {
      nested: [{ entity: 'product', data: { id, name, price, quantity } }],
    })
    return { ...order, message: `Ordered: ${quantity} × ${name}, € ${order.total}.` }
  }

  @Get('stock')
  stock() {
    // What was tracked goes out although the request fails; `dispatch: 'success'` would drop it.
    this.tracker.track('stock request')
    throw new ServiceUnavailableException('The warehouse does not answer.')
  }
}
