import {
  comeBack,
  everything,
  onlyAnalytics,
  onlyMarketing,
  onlyNecessary,
  type State,
  type Step,
} from './library.js'

/** How a banner is answered. */
export interface Answers {
  readonly accept: Step
  readonly refuse: Step
  readonly analytics: Step
  readonly marketing: Step
  /** Refuses what was accepted, on the next page. */
  readonly changeToRefused: Step
}

/** What is read of the answers; sites without a category for what is necessary say nothing of it. */
export interface Meaning {
  readonly all: object
  readonly none: object
  readonly analytics: object
  readonly marketing: object
}

/** Of sites with a category for what is necessary. */
export const COMMON: Meaning = {
  all: everything,
  none: onlyNecessary,
  analytics: onlyAnalytics,
  marketing: onlyMarketing,
}
/** Of sites without one. */
export const WITHOUT_NECESSARY: Meaning = {
  all: { analytics: true, marketing: true },
  none: { analytics: false, marketing: false },
  analytics: { analytics: true, marketing: false },
  marketing: { analytics: false, marketing: true },
}

/** The states that every banner with categories has. */
export function statesOf(answers: Answers, meaning: Meaning): State[] {
  const { accept, refuse, analytics, marketing, changeToRefused } = answers
  return [
    { name: 'no choice', steps: [], expected: undefined },
    { name: 'accepted', steps: [accept], expected: meaning.all },
    { name: 'refused', steps: [refuse], expected: meaning.none },
    { name: 'analytics', steps: [analytics], expected: meaning.analytics },
    { name: 'marketing', steps: [marketing], expected: meaning.marketing },
    {
      name: 'accepted, then refused',
      steps: [accept, comeBack(), changeToRefused],
      expected: meaning.none,
    },
  ]
}
