import { categoryBanners } from './category-banners.js'
import { identities } from './identities.js'
import type { Library } from './library.js'
import { questionBanners } from './question-banners.js'
import { serviceBanners } from './service-banners.js'
import { strings } from './strings.js'

/** All libraries that readers are held to. */
export const libraries: readonly Library[] = [
  ...categoryBanners,
  ...serviceBanners,
  ...questionBanners,
  ...strings,
  ...identities,
]
