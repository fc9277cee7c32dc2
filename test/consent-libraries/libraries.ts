import { banners } from './banners.js'
import { identities } from './identities.js'
import type { Library } from './library.js'
import { strings } from './strings.js'

/** All libraries that readers are held to. */
export const libraries: readonly Library[] = [...banners, ...strings, ...identities]
