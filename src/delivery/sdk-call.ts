import type { CommonParams, SegmentCall } from '../model/segment-call.js'
import type { SegmentClient } from './segment-client.js'

/**
 * Makes a call on a client.
 *
 * @returns What its method returns: nothing, unless a stand-in returns a promise.
 * @throws What the client throws for an invalid call, and if it has no such method.
 */
export function makeCall(client: SegmentClient, call: SegmentCall): unknown {
  switch (call.type) {
    case 'track':
      return client.track(identified(call.params))
    case 'identify':
      return client.identify(identified(call.params))
    case 'group':
      return client.group(identified(call.params))
    case 'page':
      return client.page(identified(call.params))
    case 'screen':
      return client.screen(identified(call.params))
    case 'alias': {
      const { params } = call
      if (!client.alias) throw new Error('env.analytics has no method alias(), which tracker.alias() needs')
      if (params.userId === undefined) throw new Error('an alias call needs a userId')
      return client.alias({ ...params, userId: params.userId })
    }
  }
}

type Identified<P> = P & ({ userId: string } | { anonymousId: string })

function identified<P extends CommonParams>(params: P): Identified<P> {
  if (!hasIdentity(params)) throw new Error('a call to Segment needs a userId or an anonymousId')
  return params
}

function hasIdentity<P extends CommonParams>(params: P): params is Identified<P> {
  return params.userId !== undefined || params.anonymousId !== undefined
}
