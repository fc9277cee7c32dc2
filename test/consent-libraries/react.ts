import type { Package } from './library.js'

/** What libraries of React components need beside themselves; newer versions have another way to render. */
export const react: Package = { name: 'react', version: '18.3.1', latest: '18' }
export const reactDom: Package = { name: 'react-dom', version: '18.3.1', latest: '18' }
