/** What the self-check looks for, by the code that its line in the log ends with. */
export const CHECK_CODES = [
  'REQTRACK_NO_CONSENT_READER',
  'REQTRACK_NO_TRUST_PROXY',
  'REQTRACK_READER_ANSWER',
  'REQTRACK_NO_IDENTITY',
  'REQTRACK_UNMATCHED_RULE',
  'REQTRACK_CREATED_IN_HANDLER',
  'REQTRACK_DRY_RUN',
] as const

/** The code of a check. */
export type CheckCode = (typeof CHECK_CODES)[number]

/** Which checks run: all of them, none, or all but those that are `false` here. */
export type ValidateOption = boolean | { readonly [C in CheckCode]?: boolean }

/** Whether a check runs. */
export function isChecked(validate: ValidateOption | undefined, code: CheckCode): boolean {
  return typeof validate === 'object' ? validate[code] !== false : validate !== false
}
