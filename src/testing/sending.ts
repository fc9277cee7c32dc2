import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { clearInterval, clearTimeout, setInterval, setTimeout } from '../support/clock.js'
import type { Answer } from './answers.js'
import type { Fault } from './faults.js'

/** The result of an answer: its status if it was sent completely, else how it ended. */
export type Outcome = number | 'reset' | 'half' | 'hang' | 'aborted'

/**
 * Sends an answer as a fault prescribes. Timers end with the connection, so that nothing outlives it.
 *
 * @param settle - Called with the result; at once, unless the answer is delayed or dripped.
 */
export function send(
  response: ServerResponse,
  answer: Answer,
  fault: Fault | undefined,
  settle: (outcome: Outcome) => void,
): void {
  if (!fault?.delay) {
    sendNow(response, answer, fault, settle)
    return
  }
  const abandon = (): void => {
    clearTimeout(timer)
    settle('aborted')
  }
  const timer = setTimeout(() => {
    response.off('close', abandon)
    sendNow(response, answer, fault, settle)
  }, fault.delay)
  response.once('close', abandon)
}

function sendNow(
  response: ServerResponse,
  answer: Answer,
  fault: Fault | undefined,
  settle: (outcome: Outcome) => void,
): void {
  const { socket } = response
  if (!socket) settle('aborted')
  else if (fault?.hang) settle('hang')
  else if (fault?.reset) {
    socket.resetAndDestroy()
    settle('reset')
  } else if (fault?.half) {
    sendHalf(socket, answer)
    settle('half')
  } else if (fault?.drip) drip(socket, answer, fault.drip, settle)
  else {
    response.writeHead(answer.status, answer.headers)
    response.end(answer.body)
    settle(answer.status)
  }
}

function sendHalf(socket: Socket, answer: Answer): void {
  const head = headOf(answer)
  const half = Buffer.concat([head, answer.body.subarray(0, Math.ceil(answer.body.length / 2))])
  // Not a reset, which would discard the bytes that the client has not read yet.
  socket.write(half, () => socket.destroy())
}

function drip(socket: Socket, answer: Answer, everyMs: number, settle: (outcome: Outcome) => void): void {
  const bytes = Buffer.concat([headOf(answer), answer.body])
  let sent = 0
  const timer = setInterval(() => {
    socket.write(bytes.subarray(sent, sent + 1))
    sent++
    if (sent < bytes.length) return
    clearInterval(timer)
    settle(answer.status)
    socket.end()
  }, everyMs)
  socket.once('close', () => {
    clearInterval(timer)
    if (sent < bytes.length) settle('aborted')
  })
}

/** The head as bytes: Node's response can send neither half an answer nor a head byte by byte. */
function headOf({ status, headers }: Answer): Buffer {
  const fields = Object.entries({ ...headers, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  return Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${fields.join('')}\r\n`, 'latin1')
}
