import { c15t, segmentConsentManager, vanillaCookieConsent } from '../../src/index.js'
import { COMMON, statesOf } from './banner-states.js'
import { click, comeBack, inTurn, type Library, onlyNecessary, run, runUntilReload } from './library.js'

const REVISION = "Number(new URLSearchParams(location.search).get('revision') ?? 0)"

const vanilla3: Library = {
  packages: [{ name: 'vanilla-cookieconsent', version: '3.1.0' }],
  setup: `await library.run({
    revision: ${REVISION},
    hideFromBots: false,
    categories: { necessary: { enabled: true, readOnly: true }, analytics: {}, marketing: {} },
    language: { default: 'en', translations: { en: {
      consentModal: { title: 't', description: 'd', acceptAllBtn: 'a', acceptNecessaryBtn: 'n' },
      preferencesModal: { title: 't', sections: [] },
    } } },
  })`,
  reads: 'vanillaCookieConsent()',
  reader: vanillaCookieConsent(),
  states: [
    ...statesOf(
      {
        accept: click('[data-role="all"]'),
        refuse: click('[data-role="necessary"]'),
        analytics: run("library.acceptCategory(['analytics'])"),
        marketing: run("library.acceptCategory(['marketing'])"),
        changeToRefused: run('library.acceptCategory([])'),
      },
      COMMON,
    ),
    {
      name: 'an older revision',
      steps: [click('[data-role="all"]'), comeBack('revision=2')],
      expected: undefined,
      reader: vanillaCookieConsent({ revision: 2 }),
    },
    {
      name: 'an older revision, chosen again',
      steps: [click('[data-role="all"]'), comeBack('revision=2'), click('[data-role="necessary"]')],
      expected: onlyNecessary,
      reader: vanillaCookieConsent({ revision: 2 }),
    },
  ],
}

const vanilla2: Library = {
  packages: [{ name: 'vanilla-cookieconsent', version: '2.9.2', latest: '2', as: 'vanilla-cookieconsent-2' }],
  scripts: ['vanilla-cookieconsent-2/dist/cookieconsent.js'],
  setup: `window.cc = initCookieConsent(); cc.run({
    current_lang: 'en', revision: ${REVISION}, hide_from_bots: false,
    languages: { en: {
      consent_modal: { title: 't', description: 'd', primary_btn: { text: 'a', role: 'accept_all' }, secondary_btn: { text: 'n', role: 'accept_necessary' } },
      settings_modal: { title: 't', save_settings_btn: 's', accept_all_btn: 'a', blocks: ['necessary', 'analytics', 'marketing'].map((value) =>
        ({ title: value, description: '', toggle: { value, enabled: value === 'necessary', readonly: value === 'necessary' } })) },
    } },
  })`,
  reads: 'vanillaCookieConsent()',
  reader: vanillaCookieConsent(),
  states: [
    ...statesOf(
      {
        accept: click('#c-p-bn'),
        refuse: click('#c-s-bn'),
        analytics: run("cc.accept(['analytics'])"),
        marketing: run("cc.accept(['marketing'])"),
        changeToRefused: run('cc.accept([])'),
      },
      COMMON,
    ),
    {
      name: 'an older revision',
      steps: [click('#c-p-bn'), comeBack('revision=2')],
      expected: undefined,
      reader: vanillaCookieConsent({ revision: 2 }),
    },
  ],
}

const c15tLibrary: Library = {
  packages: [{ name: 'c15t', version: '2.2.1' }],
  setup: `const { consentStore } = library.getOrCreateConsentRuntime({ mode: 'offline', consentCategories: ['necessary', 'measurement', 'marketing'] })
    window.store = consentStore
    window.choose = async (measurement, marketing) => {
      store.getState().setSelectedConsent('measurement', measurement)
      store.getState().setSelectedConsent('marketing', marketing)
      await store.getState().saveConsents('custom')
    }`,
  reads: 'c15t()',
  reader: c15t(),
  states: statesOf(
    {
      accept: run("store.getState().saveConsents('all')"),
      refuse: run("store.getState().saveConsents('necessary')"),
      analytics: run('choose(true, false)'),
      marketing: run('choose(false, true)'),
      changeToRefused: runUntilReload("store.getState().saveConsents('necessary')"),
    },
    COMMON,
  ),
}

const segmentChoice = (marketingAndAnalytics: boolean, advertising: boolean) =>
  inTurn(
    // The dialog opens once the library has heard which destinations there are.
    run(`new Promise((resolve) => {
      const look = () => {
        consentManager.openConsentManager()
        if (document.querySelector('[name="functional"]')) resolve()
        else setTimeout(look, 50)
      }
      look()
    })`),
    click('[name="functional"][value="true"]'),
    click(`[name="marketingAndAnalytics"][value="${marketingAndAnalytics}"]`),
    click(`[name="advertising"][value="${advertising}"]`),
    click('[type="submit"]'),
  )

const close = click('[title="Close"]')

const segment: Library = {
  packages: [{ name: '@segment/consent-manager', version: '5.8.1' }],
  scripts: ['@segment/consent-manager/standalone/consent-manager.js'],
  before: `window.analytics = { load() {}, identify() {}, page() {}, addSourceMiddleware() {} }
    window.consentManagerConfig = () => ({ container: '#root', writeKey: 'key', bannerContent: 'b',
    preferencesDialogContent: 'p', cancelDialogContent: 'c',
    closeBehavior: new URLSearchParams(location.search).get('close') ?? 'accept' })`,
  setup: '',
  answers: {
    '/integrations': [
      { id: 'Amplitude', name: 'Amplitude', creationName: 'Amplitude', category: 'Analytics' },
      { id: 'Ads', name: 'Ads', creationName: 'Ads', category: 'Advertising' },
    ],
  },
  reads: 'segmentConsentManager()',
  reader: segmentConsentManager(),
  states: [
    ...statesOf(
      {
        accept: close,
        refuse: segmentChoice(false, false),
        analytics: segmentChoice(true, false),
        // Marketing needs both of its categories.
        marketing: segmentChoice(false, true),
        changeToRefused: segmentChoice(false, false),
      },
      { ...COMMON, marketing: onlyNecessary },
    ),
    {
      name: 'closed, which refuses',
      steps: [comeBack('close=deny'), close],
      expected: { functional: false, analytics: false, marketing: false },
    },
    { name: 'dismissed', steps: [comeBack('close=dismiss'), close], expected: undefined },
  ],
}

/** Libraries that ask for categories. */
export const categoryBanners: readonly Library[] = [vanilla3, vanilla2, c15tLibrary, segment]
