import { osanoCookieConsent, reactCookieConsent } from '../../src/index.js'
import { WITHOUT_NECESSARY } from './banner-states.js'
import { click, comeBack, everything, type Library, onlyNecessary, run } from './library.js'
import { react, reactDom } from './react.js'

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

/** Libraries that ask one question. */
export const questionBanners: readonly Library[] = [osano, reactLibrary]
