import type { KnownKeys } from '../unknown-key.js'

declare const takes: unique symbol

/**
 * What a value has to be, as data. {@link problemsOf} holds a value against it, and other forms, such as a zod schema or a
 * table of the documentation, are made from it. Libraries of schemas take too long to load at an application's start:
 * docs/performance.md has the figures.
 *
 * `T` is the type of the values that it takes.
 */
export type Schema<T = unknown> = Kind & {
  /** What is expected, in the words of the error: `an integer of at least 1`. */
  readonly expected: string
  /** Carries the type of the values; no schema has it. */
  readonly [takes]?: T
}

type Kind =
  | { readonly kind: 'text'; readonly pattern?: RegExp }
  | NumberKind
  | { readonly kind: 'boolean' }
  | { readonly kind: 'constant'; readonly values: readonly (string | number | boolean)[] }
  /** A value that only its own function can judge, such as an instance. */
  | { readonly kind: 'opaque'; readonly accepts: (value: unknown) => boolean }
  | { readonly kind: 'list'; readonly of: Schema }
  | { readonly kind: 'pair'; readonly of: readonly [Schema, Schema] }
  | { readonly kind: 'record'; readonly of: Schema; readonly keys?: KeyRule }
  | ObjectKind
  | { readonly kind: 'union'; readonly of: readonly Schema[] }
  /** A schema that refers to itself is made when it is first needed. */
  | { readonly kind: 'lazy'; readonly of: () => Schema }
  | RefinedKind

/** A number is finite, and an integer can be told from its neighbours. */
export interface NumberKind {
  readonly kind: 'number'
  readonly isInteger?: boolean
  readonly above?: number
  readonly least?: number
  readonly most?: number
}

/** What a record's keys have to match, and what is wrong with others. */
export interface KeyRule {
  readonly pattern: RegExp
  readonly problem: string
}

/** An object with known members; an open one may have others. */
export interface ObjectKind {
  readonly kind: 'object'
  readonly members: Members
  readonly isOpen: boolean
  /** What to say about keys that are not known. */
  readonly keys: KnownKeys
}

/** A schema and a further condition. */
export interface RefinedKind {
  readonly kind: 'refined'
  readonly of: Schema
  /** Says what is expected of a value that the schema takes; `undefined` if nothing is wrong. */
  expects(value: unknown): string | undefined
  /** The member of the value that is wrong then, where it is not the value as a whole. */
  readonly member?: string
}

/** A member of an object, and what its documentation says. */
export interface Member<T = unknown> {
  readonly schema: Schema<T>
  readonly isOptional: boolean
  /** What it is for. */
  readonly description: string
  /** Its default. */
  readonly fallback?: unknown
}

export type Members = Readonly<Record<string, Member>>

/** The members of an object type: each of its own type, none left out. */
export type MembersOf<T> = { readonly [K in keyof T]-?: Member<T[K]> }

/** The object that has these members. */
export type ValuesOf<M extends Members> = { [K in keyof M]: M[K] extends Member<infer T> ? T : never }

/** The schema of an object with known members. */
export type ObjectSchema<M extends Members = Members> = Schema<ValuesOf<M>> &
  ObjectKind & { readonly members: M }
