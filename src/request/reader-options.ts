import { isRecord } from '../model/values.js'
import { given } from '../support/given.js'
import { isListOf } from '../support/instance.js'
import { explainKey } from '../support/unknown-key.js'

/** One thing that is wrong with the options of a reader. */
export interface OptionProblem {
  /** The option: `categories.C0002`; empty for the options as a whole. */
  readonly path: string
  readonly message: string
}

/** Says what is wrong with a value. A value that is `undefined` counts as absent and is not asked about. */
export type OptionRule = (value: unknown, path: string) => readonly OptionProblem[]

/** A rule for every option that a type names, so that the compiler keeps the list complete. */
export type OptionRules<O> = { readonly [K in keyof O]-?: OptionRule }

/**
 * Checks the options of a reader's factory as strictly as the configuration: an option that has no effect could have been
 * meant to refuse.
 *
 * @throws TypeError with every problem: unknown options and the known ones that were probably meant, wrong types and
 * values. It quotes no string, since any may be a secret.
 */
export function checkOptions<O>(name: string, options: unknown, rules: OptionRules<O>): void {
  throwProblems(name, problemsOfOptions(options, rules))
}

/** Throws one error with all problems, if there are any. */
export function throwProblems(name: string, problems: readonly OptionProblem[]): void {
  if (problems.length === 0) return
  const count = problems.length === 1 ? 'an option' : `${problems.length} options`
  const lines = problems.map(({ path, message }) => `  ${path || 'options'}: ${message}`)
  throw new TypeError(`${name}() got ${count} that it cannot take:\n${lines.join('\n')}`)
}

/** Finds what is wrong with the options of a reader's factory. */
export function problemsOfOptions<O>(options: unknown, rules: OptionRules<O>): readonly OptionProblem[] {
  if (options === undefined) return []
  const known = Object.keys(rules)
  return membersOf(options, '', `an object such as { ${known[0]} }`, (value, key) => {
    const rule = Object.entries<OptionRule>(rules).find(([name]) => name === key)?.[1]
    return rule
      ? rule(value, key)
      : [{ path: key, message: explainKey(key, { known, refused: {}, elsewhere: {} }) }]
  })
}

/** Applies a check to every member of an object. */
export function membersOf(
  value: unknown,
  path: string,
  expected: string,
  check: (member: unknown, key: string) => readonly OptionProblem[],
): readonly OptionProblem[] {
  if (!isRecord(value)) return [problem(path, value, expected)]
  return Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : check(member, key)))
}

/** A value of one kind. */
export function rule(expected: string, accepts: (value: unknown) => boolean): OptionRule {
  return (value, path) => (accepts(value) ? [] : [problem(path, value, expected)])
}

function problem(path: string, value: unknown, expected: string): OptionProblem {
  return { path, message: `${given(value)}, expected ${expected}` }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}

/** Text that is not empty. */
export function text(expected: string): OptionRule {
  return rule(expected, isText)
}

/** Text that is not empty, or a whole number. */
export function textOrNumber(expected: string): OptionRule {
  return rule(
    expected,
    (value) => isText(value) || (typeof value === 'number' && Number.isSafeInteger(value)),
  )
}

/** The name of one cookie. */
export const cookieName: OptionRule = text("a cookie's name, such as 'cc_cookie'")

/** `true` or `false`. */
export const flag: OptionRule = rule('true or false', (value) => typeof value === 'boolean')

/** The names of one cookie or more. */
export const cookieNames: OptionRule = rule("a list of cookies' names, such as ['euconsent-v2']", (value) =>
  isListOf(value, isText),
)

/**
 * A map of a manager's categories to walkerOS keys.
 *
 * @param known - The categories that there are; any by default.
 */
export function categoryMap(known?: readonly string[]): OptionRule {
  const expectedKeys = "a walkerOS key such as 'analytics', or a list of them"
  const isKeys = (value: unknown) => isText(value) || isListOf(value, isText)
  return (value, path) =>
    membersOf(value, path, "an object such as { C0002: 'analytics' }", (keys, category) => {
      const at = `${path}.${category}`
      if (known !== undefined && !known.includes(category)) {
        return [{ path: at, message: explainKey(category, { known, refused: {}, elsewhere: {} }) }]
      }
      return isKeys(keys) ? [] : [problem(at, keys, expectedKeys)]
    })
}
