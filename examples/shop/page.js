const notice = document.getElementById('notice')
const banner = document.getElementById('consent')

document.addEventListener('click', async ({ target }) => {
  const { post, body, consent } = target.dataset
  if (post) await send(post, body)
  if (consent === 'ask') banner.hidden = false
  else if (consent) decide(consent === 'granted')
})

async function send(path, body) {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(path, { method: 'POST', headers, body })
  const answer = await response.json()
  if (response.ok && path !== '/orders' && path !== '/newsletter') return location.reload()
  notice.textContent = answer.message ?? answer.error
  notice.hidden = false
}

// What a consent manager does: it keeps the choice in a cookie, where the server reads it.
function decide(granted) {
  const choice = encodeURIComponent(JSON.stringify({ analytics: granted, marketing: false }))
  // biome-ignore lint/suspicious/noDocumentCookie: not every browser has the Cookie Store API.
  document.cookie = `consent=${choice}; path=/; max-age=31536000; samesite=lax`
  location.reload()
}

banner.hidden = document.cookie.includes('consent=')

// What the page itself tracks, at the shop's own endpoint.
for (const { dataset } of document.querySelectorAll('[data-view]'))
  navigator.sendBeacon('/collect', dataset.view)
