import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'

/** A request and its response. */
export interface Visit {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

/**
 * The cookies of a visitor who is known to analytics.js and Google Analytics, has answered OneTrust's banner, and has a
 * session.
 */
const COOKIES = [
  'connect.sid=s%3A1f0dC3nVb2H8yq7Jm5rT.9pQ2wXk4Lz7BvN1cM6aS3dF8gH5jK0lP',
  'ajs_anonymous_id=23adfd82-aa0f-45a7-a756-24f2a7a4c895',
  '_ga=GA1.2.1033501218.1368477899',
  'OptanonAlertBoxClosed=2026-03-10T18:10:12.000Z',
  'OptanonConsent=isGpcEnabled=0&datestamp=Tue+Mar+10+2026+19%3A10%3A12+GMT%2B0100+(Central+European+Standard+Time)' +
    '&version=202601.1.0&browserGpcFlag=0&isIABGlobal=false&hosts=&consentId=00000000-0000-4000-8000-000000000000' +
    '&interactionCount=1&isAnonUser=1&landingPath=NotLandingPage' +
    '&groups=C0001%3A1%2CC0002%3A1%2CC0003%3A1%2CC0004%3A0%2CC0005%3A0%2CV2STACK42%3A0' +
    '&intType=3&geolocation=DE%3BBE&AwaitingReconsent=false',
  'theme=dark',
]

const HEADERS = {
  host: 'shop.example',
  connection: 'keep-alive',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-encoding': 'gzip, deflate, br',
  'accept-language': 'de-DE,de;q=0.9,en;q=0.8',
  cookie: COOKIES.join('; '),
  referer: 'https://search.example/',
  'sec-fetch-dest': 'document',
  'sec-fetch-mode': 'navigate',
  'sec-gpc': '1',
  'user-agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
}

/** A request of Node's own making, without a connection: what HTTP costs would hide what reading costs. */
export function visit(): Visit {
  const socket = new Socket()
  Object.defineProperty(socket, 'remoteAddress', { value: '203.0.113.77' })
  const req = new IncomingMessage(socket)
  req.method = 'GET'
  req.url = '/shoes?utm_source=mail&utm_campaign=summer'
  Object.assign(req.headers, HEADERS)
  const res = new ServerResponse(req)
  res.assignSocket(socket)
  return { req, res }
}
