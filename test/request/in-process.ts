import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import {
  adobe,
  axeptio,
  borlabs,
  bots,
  c15t,
  civic,
  complianz,
  consentCookie,
  consentHeader,
  cookiebot,
  cookieFirst,
  cookieHub,
  cookieInformation,
  cookieLawInfo,
  cookieNotice,
  cookieScript,
  cookieYes,
  createTracking,
  didomi,
  drupalEuCookieCompliance,
  evidon,
  fides,
  globalPrivacyControl,
  googleAnalyticsCookie,
  googleFundingChoices,
  gpp,
  header,
  hubSpot,
  iubenda,
  ketch,
  klaro,
  mixpanelCookie,
  mooveGdpr,
  oneTrust,
  orejime,
  osanoCookieConsent,
  piwikPro,
  postHogCookie,
  prefetches,
  type RequestOptions,
  reactCookieConsent,
  realCookieBanner,
  rudderStackCookie,
  securiti,
  segmentConsentManager,
  segmentCookie,
  signedInUser,
  snowplowCookie,
  tarteaucitron,
  tcf,
  tealium,
  trustArc,
  usPrivacy,
  vanillaCookieConsent,
  walkerOSCookies,
  wix,
  wpConsentApi,
} from '../../src/index.js'

const lenient = { explicitOnly: false }
const mapped = { ...lenient, categories: { a: 'analytics', b: 'marketing' } }

/** Reads with every reader that there is. */
export const everything: RequestOptions = {
  userId: [header('x-user-id'), signedInUser()],
  anonymousId: [
    segmentCookie({ create: { domain: 'shop.example', consent: 'analytics' } }),
    walkerOSCookies(),
    rudderStackCookie(),
    googleAnalyticsCookie(),
    postHogCookie(),
    mixpanelCookie(),
    snowplowCookie(),
  ],
  consent: [
    oneTrust(lenient),
    cookiebot(lenient),
    cookieYes(lenient),
    cookieLawInfo(lenient),
    complianz(lenient),
    trustArc(lenient),
    iubenda(lenient),
    didomi(lenient),
    cookieFirst(lenient),
    cookieInformation(lenient),
    civic(lenient),
    borlabs(lenient),
    cookieScript(lenient),
    ketch(lenient),
    klaro(mapped),
    axeptio(mapped),
    tarteaucitron(mapped),
    vanillaCookieConsent(lenient),
    adobe(lenient),
    c15t(lenient),
    cookieHub(lenient),
    cookieNotice(lenient),
    drupalEuCookieCompliance(lenient),
    evidon(lenient),
    fides(lenient),
    googleFundingChoices(lenient),
    hubSpot(lenient),
    mooveGdpr(lenient),
    orejime(mapped),
    osanoCookieConsent(lenient),
    piwikPro(lenient),
    reactCookieConsent(mapped),
    realCookieBanner(mapped),
    securiti(mapped),
    segmentConsentManager(lenient),
    tealium(lenient),
    wix(lenient),
    wpConsentApi(lenient),
    tcf(lenient),
    consentCookie('mirror'),
    consentHeader('x-consent'),
    gpp(),
    usPrivacy(),
    globalPrivacyControl(),
  ],
  skip: [bots(), prefetches()],
  context: { ip: 'anonymize', page: { query: ['q'] } },
}

/** A call as it would be handed to Segment's client. */
export type GivenCall = Readonly<Record<string, unknown>>

/** A request as Node's server would have it. */
export interface Given {
  readonly url?: string
  readonly headers?: OutgoingHttpHeaders
}

/** What one request came to. */
export interface Come {
  readonly calls: readonly GivenCall[]
  /** What readers and others threw. */
  readonly errors: readonly unknown[]
  readonly setCookies: readonly string[]
}

/** Takes requests without connections through a tracking with all readers: thousands of them in a second. */
export function inProcess(request: RequestOptions = everything): (given: Given) => Promise<Come> {
  const calls: GivenCall[] = []
  const errors: unknown[] = []
  const take = (call: object) => void calls.push({ ...call })
  const tracking = createTracking({
    settings: { writeKey: 'test-key', consent: { functional: 'F', analytics: 'A', marketing: 'M' } },
    env: { analytics: { track: take, identify: take, group: take, page: take, screen: take } },
    include: ['user', 'source'],
    logger: { handler: () => {} },
    on: { error: (error) => errors.push(error) },
    request,
  })
  onTestFinished(async () => {
    await tracking.shutdown()
  })
  return async (given) => {
    const { req, res } = exchange(given)
    // So that an event is somebody's, whoever sent it.
    const tracker = tracking.handle(req, res)
    tracker.user({ id: 'somebody' })
    tracker.track('page read')
    res.emit('finish')
    await tracking.flush()
    const set = res.getHeader('set-cookie') ?? []
    return {
      calls: calls.splice(0),
      errors: errors.splice(0),
      setCookies: Array.isArray(set) ? set : [String(set)],
    }
  }
}

/** A request and its response, of Node's own making. */
export function exchange({ url = '/', headers = {} }: Given): { req: IncomingMessage; res: ServerResponse } {
  const socket = new Socket()
  const req = new IncomingMessage(socket)
  req.method = 'GET'
  req.url = url
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) Object.defineProperty(req.headers, name, { value, enumerable: true })
  }
  const res = new ServerResponse(req)
  res.assignSocket(socket)
  return { req, res }
}
