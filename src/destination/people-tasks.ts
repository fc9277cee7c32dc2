import type { PersonFact } from '../model/person-fact.js'
import { clearTimeout, performance, setImmediate, setTimeout } from '../support/clock.js'
import { isList } from '../support/instance.js'
import { answerWithin, timerMs } from '../support/maybe.js'
import type { OpenPeopleMemory, PeopleAnswer, PeopleTask } from './people-memory.js'

/** Milliseconds that an event waits for a memory that names no other time. */
const ANSWER_MS = 50
/** Milliseconds after which a memory that has not answered at all is asked again. */
const GIVE_UP_MS = 5_000
/** Milliseconds after which what could not be told is told again. */
const RETRY_MS = 1_000
/** The most facts that wait to be told; the oldest go. */
const MOST_WAITING = 10_000

/** A task that waits for its turn. */
interface Queued {
  readonly task: PeopleTask
  /** Hears the answer to a claim; nobody waits for what is told. */
  readonly answered: ((answer: PeopleAnswer) => void) | undefined
}

/** Hears whether the memory works. */
export interface MemoryListener {
  failed(error: unknown): void
  works(): void
}

/**
 * Gives a shared memory the tasks of one turn of the event loop in one go. Claims that it does not answer in time have no answer,
 * and while it does not answer at all nothing waits for it; what it has to be told is told when it is back.
 */
export class PeopleTasks {
  readonly #memory: OpenPeopleMemory
  readonly #listener: MemoryListener
  readonly #answerMs: number
  #queue: Queued[] = []
  #isScheduled = false
  #timer: NodeJS.Timeout | undefined
  readonly #running = new Set<Promise<void>>()
  /** How many runs are late, and since when. */
  #late = 0
  #lateSince = 0
  #isClosed = false

  /** @param answerMs - Milliseconds that an event waits for an answer. Defaults to 50. */
  constructor(memory: OpenPeopleMemory, listener: MemoryListener, answerMs?: number) {
    this.#memory = memory
    this.#listener = listener
    this.#answerMs = timerMs(answerMs, ANSWER_MS)
  }

  /** Claims a fact. Resolves soon; without an answer where there is none in time. */
  claim(fact: PersonFact, step: 'claim' | 'replace'): Promise<PeopleAnswer> {
    return new Promise((answered) => this.#add({ task: { step, fact }, answered }))
  }

  /** Tells what has become of a call, sooner or later. */
  tell(fact: PersonFact, step: 'keep' | 'forget'): void {
    this.#add({ task: { step, fact }, answered: undefined })
  }

  /** Resolves when everything is told, or after so many milliseconds. */
  async settled(timeoutMs: number): Promise<void> {
    if (this.#queue.length > 0) this.#run()
    await answerWithin(Promise.all(this.#running), Math.min(timeoutMs, this.#answerMs))
  }

  /** Tells the rest, and no more. */
  async close(timeoutMs: number): Promise<void> {
    await this.settled(timeoutMs)
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #add(queued: Queued): void {
    this.#queue.push(queued)
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.#run())
  }

  #run(): void {
    this.#isScheduled = false
    const queue = this.#queue.splice(0)
    if (queue.length === 0) return
    if (this.#isAway) return this.#wait(queue)
    const running = this.#take(queue)
    this.#running.add(running)
    void running.then(() => this.#running.delete(running))
  }

  /** One that does not answer is not asked, so that nobody waits and nothing piles up. */
  get #isAway(): boolean {
    return this.#late > 0 && performance.now() - this.#lateSince < GIVE_UP_MS
  }

  async #take(queue: readonly Queued[]): Promise<void> {
    let isDone = false
    let isLate = false
    const late = () => {
      if (isDone) return
      isLate = true
      this.#late++
      this.#lateSince = performance.now()
      for (const { answered } of queue) answered?.(undefined)
      this.#listener.failed(new Error(`no answer within ${this.#answerMs} ms`))
    }
    // A busy process may have the answer without having read it: it does so before the next immediate.
    const timer = setTimeout(() => setImmediate(late), this.#answerMs)
    try {
      const answers: unknown = await this.#memory.take(queue.map(({ task }) => task))
      if (!isList(answers)) throw new TypeError('the memory has answered with no list')
      this.#answer(queue, answers)
    } catch (error) {
      this.#wait(queue)
      if (!isLate) this.#listener.failed(error)
    } finally {
      isDone = true
      clearTimeout(timer)
      if (isLate) this.#late--
    }
  }

  #answer(queue: readonly Queued[], answers: readonly unknown[]): void {
    const again: Queued[] = []
    let failure: Error | undefined
    for (const [index, queued] of queue.entries()) {
      const answer = answers[index]
      if (answer instanceof Error) failure ??= answer
      if (isAnswer(answer)) queued.answered?.(answer)
      else if (answer instanceof Error) queued.answered?.(undefined)
      else again.push(queued)
    }
    this.#wait(again)
    if (failure) this.#listener.failed(failure)
    else this.#listener.works()
  }

  /** Claims have no answer; what is told waits. */
  #wait(queue: readonly Queued[]): void {
    const told: Queued[] = []
    for (const queued of queue) {
      if (queued.answered) queued.answered(undefined)
      else told.push(queued)
    }
    if (told.length === 0 || this.#isClosed) return
    this.#queue = [...told, ...this.#queue].slice(-MOST_WAITING)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#run()
    }, RETRY_MS)
    this.#timer.unref()
  }
}

const ANSWERS: ReadonlySet<unknown> = new Set(['known', 'held', 'claimed', 'done'])

function isAnswer(answer: unknown): answer is 'known' | 'held' | 'claimed' | 'done' {
  return ANSWERS.has(answer)
}
