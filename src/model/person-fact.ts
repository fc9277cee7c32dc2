/** What a call says of a person. All texts are HMACs with the write key: an engine sees no id and no trait. */
export interface PersonFact {
  /** Of the userId, or of the anonymousId where there is none. */
  readonly person: string
  /** What was said of the person: `identify`, or an HMAC of the group that they are a member of. */
  readonly about: string
  /** Of the traits. */
  readonly traits: string
  /** Of the anonymousId that an identify links to the person; `undefined` where there is none. */
  readonly device: string | undefined
  /** Of the call's messageId: it tells one claim from another, in whatever process. */
  readonly call: string
}
