import { gpp, tcf } from '../../src/index.js'
import { comeBack, type Library, run, type Step } from './library.js'

const VENDORS = {
  gvlSpecificationVersion: 3,
  vendorListVersion: 1,
  tcfPolicyVersion: 4,
  lastUpdated: '2026-01-01T00:00:00Z',
  purposes: {},
  specialPurposes: {},
  features: {},
  specialFeatures: {},
  vendors: {},
  stacks: {},
  dataCategories: {},
}

const consentTo = (...purposes: number[]): Step =>
  run(`(() => {
    const model = new library.TCModel(new library.GVL(${JSON.stringify(VENDORS)}))
    Object.assign(model, { cmpId: 10, cmpVersion: 1, consentScreen: 1, isServiceSpecific: true })
    model.purposeConsents.set(${JSON.stringify(purposes)})
    document.cookie = 'euconsent-v2=' + library.TCString.encode(model) + '; path=/'
  })()`)

const everything = { analytics: true, marketing: true }
const nothing = { analytics: false, marketing: false }

const consentStrings: Library = {
  packages: [{ name: '@iabtcf/core', version: '1.5.6' }],
  setup: '',
  reads: 'tcf()',
  reader: tcf(),
  states: [
    { name: 'no choice', steps: [], expected: undefined },
    { name: 'accepted', steps: [consentTo(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)], expected: everything },
    { name: 'refused', steps: [consentTo()], expected: nothing },
    { name: 'analytics', steps: [consentTo(1, 8, 9)], expected: { analytics: true, marketing: false } },
    { name: 'marketing', steps: [consentTo(1, 3, 4)], expected: { analytics: false, marketing: true } },
    {
      name: 'accepted, then refused',
      steps: [consentTo(1, 3, 4, 8, 9), comeBack(), consentTo()],
      expected: nothing,
    },
  ],
}

const optOut = (section: string, field: string, value: number): Step =>
  run(`(() => {
    const model = new library.GppModel()
    model.setFieldValue('${section}', '${field}', ${value})
    document.cookie = 'gpp=' + model.encode() + '; path=/'
  })()`)

const privacyStrings: Library = {
  packages: [{ name: '@iabgpp/cmpapi', version: '3.2.0' }],
  setup: '',
  reads: 'gpp()',
  reader: gpp(),
  states: [
    { name: 'no choice', steps: [], expected: undefined },
    { name: 'opted out of sale', steps: [optOut('usnat', 'SaleOptOut', 1)], expected: { marketing: false } },
    { name: 'not opted out', steps: [optOut('usnat', 'SaleOptOut', 2)], expected: undefined },
    {
      name: 'opted out of sharing, California',
      steps: [optOut('usca', 'SharingOptOut', 1)],
      expected: { marketing: false },
    },
    {
      name: 'opted out, then no longer',
      steps: [
        optOut('usva', 'TargetedAdvertisingOptOut', 1),
        comeBack(),
        optOut('usva', 'TargetedAdvertisingOptOut', 2),
      ],
      expected: undefined,
    },
  ],
}

/** Libraries that make the strings of the IAB. */
export const strings: readonly Library[] = [consentStrings, privacyStrings]
