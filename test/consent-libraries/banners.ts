import {
  c15t,
  klaro,
  orejime,
  osanoCookieConsent,
  reactCookieConsent,
  segmentConsentManager,
  tarteaucitron,
  vanillaCookieConsent,
} from '../../src/index.js'
import {
  click,
  comeBack,
  everything,
  inTurn,
  type Library,
  onlyAnalytics,
  onlyMarketing,
  onlyNecessary,
  run,
  runUntilReload,
  type State,
  type Step,
} from './library.js'

const REVISION = "Number(new URLSearchParams(location.search).get('revision') ?? 0)"

/** How a banner is answered. */
interface Answers {
  readonly accept: Step
  readonly refuse: Step
  readonly analytics: Step
  readonly marketing: Step
  /** Refuses what was accepted, on the next page. */
  readonly changeToRefused: Step
}

/** What is read of the answers; sites without a category for what is necessary say nothing of it. */
interface Meaning {
  readonly all: object
  readonly none: object
  readonly analytics: object
  readonly marketing: object
}

const COMMON: Meaning = {
  all: everything,
  none: onlyNecessary,
  analytics: onlyAnalytics,
  marketing: onlyMarketing,
}
const WITHOUT_NECESSARY: Meaning = {
  all: { analytics: true, marketing: true },
  none: { analytics: false, marketing: false },
  analytics: { analytics: true, marketing: false },
  marketing: { analytics: false, marketing: true },
}

/** The states that every banner with categories has. */
function statesOf(answers: Answers, meaning: Meaning): State[] {
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

const services = { matomo: 'analytics', ads: 'marketing' }
/** A choice of single services, as a program makes it. */
const klaroChoice = (matomo: boolean, ads: boolean) =>
  run(`(() => { const manager = klaro.getManager(klaroConfig)
    manager.updateConsent('matomo', ${matomo}); manager.updateConsent('ads', ${ads}); manager.saveAndApplyConsents() })()`)

const klaroLibrary: Library = {
  packages: [{ name: 'klaro', version: '0.7.22' }],
  scripts: ['klaro/dist/klaro-no-css.js'],
  setup: `window.klaroConfig = { storageMethod: 'cookie', acceptAll: true, lang: 'en', translations: { en: {} }, purposes: [],
    services: [{ name: 'matomo', purposes: ['a'] }, { name: 'ads', purposes: ['b'] }] }; klaro.setup(klaroConfig)`,
  reads: 'klaro({ categories })',
  reader: klaro({ categories: services }),
  states: statesOf(
    {
      accept: click('.cm-btn-success'),
      refuse: click('.cn-decline'),
      analytics: klaroChoice(true, false),
      marketing: klaroChoice(false, true),
      changeToRefused: klaroChoice(false, false),
    },
    WITHOUT_NECESSARY,
  ),
}

const tarteaucitronChoice = (gtag: boolean, facebookpixel: boolean) =>
  run(`(() => { for (const [id, is] of Object.entries({ gtag: ${gtag}, facebookpixel: ${facebookpixel} }))
    tarteaucitron.userInterface.respond(document.getElementById(id + (is ? 'Allowed' : 'Denied')), is) })()`)

const tarteaucitronLibrary: Library = {
  packages: [{ name: 'tarteaucitronjs', version: '1.34.0' }],
  scripts: ['tarteaucitronjs/tarteaucitron.js'],
  before: "window.tarteaucitronForceLanguage = 'en'",
  setup: `tarteaucitron.init({ privacyUrl: '', highPrivacy: true, AcceptAllCta: true, DenyAllCta: true, orientation: 'bottom', showIcon: false, bodyPosition: 'bottom' })
    Object.assign(tarteaucitron.user, { gtagUa: 'G-0', facebookpixelId: '0' })
    ;(tarteaucitron.job = tarteaucitron.job || []).push('gtag', 'facebookpixel')
    await new Promise((resolve) => {
      const look = () => document.getElementById('gtagDenied') && document.getElementById('facebookpixelDenied') ? resolve() : setTimeout(look, 20)
      look()
    })`,
  reads: 'tarteaucitron({ categories })',
  reader: tarteaucitron({ categories: { gtag: 'analytics', facebookpixel: 'marketing' } }),
  states: statesOf(
    {
      accept: run('tarteaucitron.userInterface.respondAll(true)'),
      refuse: run('tarteaucitron.userInterface.respondAll(false)'),
      analytics: tarteaucitronChoice(true, false),
      marketing: tarteaucitronChoice(false, true),
      changeToRefused: tarteaucitronChoice(false, false),
    },
    WITHOUT_NECESSARY,
  ),
}

const orejime3: Library = {
  packages: [{ name: 'orejime', version: '3.2.1' }],
  scripts: ['orejime/dist/orejime-standard-en.js'],
  before: `window.orejimeConfig = { privacyPolicyUrl: '/privacy',
    purposes: [{ id: 'matomo', title: 'm', cookies: [] }, { id: 'ads', title: 'a', cookies: [] }] }`,
  setup: '',
  reads: 'orejime({ categories })',
  reader: orejime({ categories: services }),
  states: statesOf(
    {
      accept: click('.orejime-Banner-saveButton'),
      refuse: click('.orejime-Banner-declineButton'),
      analytics: run("orejime.manager.setConsent('matomo', true); orejime.manager.setConsent('ads', false)"),
      marketing: run("orejime.manager.setConsent('matomo', false); orejime.manager.setConsent('ads', true)"),
      changeToRefused: run('orejime.manager.declineAll()'),
    },
    WITHOUT_NECESSARY,
  ),
}

const orejime2Choice = (matomo: boolean, ads: boolean) =>
  run(
    `(() => { const { manager } = orejime.internals; manager.updateConsent({ name: 'matomo' }, ${matomo}); manager.updateConsent({ name: 'ads' }, ${ads}); manager.saveAndApplyConsents() })()`,
  )

const react = { name: 'react', version: '18.3.1', latest: '18' }
const reactDom = { name: 'react-dom', version: '18.3.1', latest: '18' }

const orejime2: Library = {
  packages: [{ name: 'orejime', version: '2.3.3', latest: '2', as: 'orejime-2' }, react, reactDom],
  setup: `window.orejime = library.init({ privacyPolicy: '/privacy',
    apps: [{ name: 'matomo', title: 'm', purposes: ['a'] }, { name: 'ads', title: 'a', purposes: ['b'] }], translations: { en: { purposes: { a: 'a', b: 'b' } } }, lang: 'en' })`,
  reads: 'orejime({ categories })',
  reader: orejime({ categories: services }),
  states: statesOf(
    {
      accept: click('.orejime-Button--save'),
      refuse: click('.orejime-Button--decline'),
      analytics: orejime2Choice(true, false),
      marketing: orejime2Choice(false, true),
      changeToRefused: orejime2Choice(false, false),
    },
    WITHOUT_NECESSARY,
  ),
}

const osano: Library = {
  packages: [{ name: 'cookieconsent', version: '3.1.1' }],
  scripts: ['cookieconsent/build/cookieconsent.min.js'],
  setup: `await new Promise((resolve) => cookieconsent.initialise({ type: new URLSearchParams(location.search).get('type') ?? 'opt-in', revokable: true }, (popup) => { window.popup = popup; resolve() }, resolve))`,
  reads: 'osanoCookieConsent()',
  reader: osanoCookieConsent(),
  states: [
    { name: 'no choice', steps: [], expected: undefined },
    { name: 'accepted', steps: [click('.cc-allow')], expected: everything },
    { name: 'refused', steps: [click('.cc-deny')], expected: onlyNecessary },
    { name: 'dismissed', steps: [comeBack('type=info'), click('.cc-dismiss')], expected: undefined },
    {
      name: 'accepted, then refused',
      steps: [click('.cc-allow'), comeBack(), run("popup.setStatus('deny')")],
      expected: onlyNecessary,
    },
    { name: 'revoked', steps: [click('.cc-allow'), run('popup.revokeChoice(true)')], expected: undefined },
  ],
}

const answered = { categories: { accepted: ['analytics', 'marketing'] } }

const reactLibrary: Library = {
  packages: [{ name: 'react-cookie-consent', version: '10.0.2' }, react, reactDom],
  setup: `const { createElement } = libraries.react
    libraries['react-dom'].render(createElement(library.CookieConsent ?? library.default, { enableDeclineButton: true }, 'cookies?'), document.getElementById('root'))`,
  reads: 'reactCookieConsent({ categories })',
  reader: reactCookieConsent(answered),
  states: [
    { name: 'no choice', steps: [], expected: undefined },
    { name: 'accepted', steps: [click('#rcc-confirm-button')], expected: WITHOUT_NECESSARY.all },
    { name: 'refused', steps: [click('#rcc-decline-button')], expected: WITHOUT_NECESSARY.none },
    {
      name: 'accepted, then reset',
      steps: [click('#rcc-confirm-button'), run('library.resetCookieConsentValue()')],
      expected: undefined,
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

/** Libraries that ask for consent. */
export const banners: readonly Library[] = [
  vanilla3,
  vanilla2,
  klaroLibrary,
  tarteaucitronLibrary,
  orejime3,
  orejime2,
  osano,
  reactLibrary,
  c15tLibrary,
  segment,
]
