/** @throws If the text is no port: an integer from 0, which stands for any that is free, to 65535. */
export function portOf(text: string): number {
  const port = Number(text)
  if (text.trim() !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new Error(`--port is an integer from 0 to 65535; given ${JSON.stringify(text)}`)
}
