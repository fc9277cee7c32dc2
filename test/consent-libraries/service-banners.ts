import { klaro, orejime, tarteaucitron } from '../../src/index.js'
import { statesOf, WITHOUT_NECESSARY } from './banner-states.js'
import { click, type Library, run } from './library.js'
import { react, reactDom } from './react.js'

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

/** Libraries that ask for services. */
export const serviceBanners: readonly Library[] = [klaroLibrary, tarteaucitronLibrary, orejime3, orejime2]
