import type { TlsOptions } from 'node:tls'

const IDENTITY = 'test'
const KEY = Buffer.from('a key for tests alone, in no use')
const CIPHERS = 'PSK-AES128-GCM-SHA256'

/** TLS without a certificate, for a server. */
export const pskServer: TlsOptions = {
  ciphers: CIPHERS,
  maxVersion: 'TLSv1.2',
  pskCallback: () => KEY,
}

/** TLS without a certificate, for its client. */
export const pskClient = {
  ciphers: CIPHERS,
  maxVersion: 'TLSv1.2',
  pskCallback: () => ({ psk: KEY, identity: IDENTITY }),
  checkServerIdentity: () => undefined,
} as const
