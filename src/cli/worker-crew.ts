import cluster, { type Worker } from 'node:cluster'
import type { LogEvent } from '../domain/ports.ts'
import { HallpassError } from '../protocol/errors.ts'
import { decideRestart, settledMs } from './restart-policy.ts'
import { LimitRelay } from './worker-limits.ts'
import type { PrimaryMessage, WorkerMessage } from './worker-messages.ts'

/** How long a worker that is told to stop may take before it is ended, in milliseconds: requests get five seconds. */
const defaultPatienceMs = 20_000
/** How long one that is replaced still answers on connections which are open, in milliseconds. */
const drainMs = 1000
/** The same at the end of all, for what has just connected. */
const lastRequestsMs = 100

export interface CrewOptions {
  /** How many there are to be. */
  readonly workers: number
  /** Added to the environment of each. */
  readonly env: Readonly<Record<string, string>>
  readonly log: (event: LogEvent) => void
  /** How long a worker that is told to stop may take before it is ended, in milliseconds. Default 20 000. */
  readonly patienceMs?: number
}

/** A worker and how far it has come. */
interface Member {
  readonly worker: Worker
  state: 'starting' | 'opened' | 'listening' | 'stopping'
  /** Since when it answers, in milliseconds of the process; undefined while it does not. */
  listeningSince: number | undefined
  readonly listening: PromiseWithResolvers<void>
  readonly ended: PromiseWithResolvers<void>
}

/** The workers: as many as there are to be, however often one ends. */
export class WorkerCrew {
  /** Rejects when workers end at once again and again. Never resolves. */
  readonly failed: Promise<never>
  readonly #options: CrewOptions
  readonly #members: Set<Member> = new Set()
  readonly #relay: LimitRelay = new LimitRelay()
  readonly #failure: PromiseWithResolvers<never> = Promise.withResolvers<never>()
  readonly #allListen: PromiseWithResolvers<void> = Promise.withResolvers<void>()
  readonly #timers: Set<NodeJS.Timeout> = new Set()
  /** Whether all have answered once. */
  #isRunning = false
  #isStopping = false
  #limitsShared = true
  #endedInARow = 0
  #replacing: Promise<void> | undefined
  /** Whether somebody asked since the last replacement began. */
  #newOnesWanted = false

  constructor(options: CrewOptions) {
    this.#options = options
    this.failed = this.#failure.promise
    this.failed.catch(() => {})
  }

  /** Starts them all; resolves once all answer. None does before each is ready to. */
  async start(): Promise<void> {
    for (let nth = 0; nth < this.#options.workers; nth += 1) this.#hire()
    await Promise.race([this.#allListen.promise, this.failed])
    this.#isRunning = true
    if (this.#newOnesWanted) void this.replaceAll()
  }

  /** Whether every worker, when it was opened, counted together with others. */
  get limitsShared(): boolean {
    return this.#limitsShared
  }

  /**
   * Starts a new worker for each and stops that once the new one answers, one after the other. Asked for during a start or a
   * replacement, it follows upon that: what the newest workers have read may be older than what they are to read.
   */
  replaceAll(): Promise<void> {
    this.#newOnesWanted = true
    this.#replacing ??= this.#replaceWhileWanted().finally(() => {
      this.#replacing = undefined
    })
    return this.#replacing
  }

  /** Has all finish what they do and end. */
  async stop(): Promise<void> {
    this.#isStopping = true
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.all([...this.#members].map((member) => this.#dismiss(member, lastRequestsMs)))
  }

  async #replaceWhileWanted(): Promise<void> {
    while (this.#newOnesWanted && this.#isRunning && !this.#isStopping) {
      this.#newOnesWanted = false
      await this.#replaceEach()
    }
  }

  async #replaceEach(): Promise<void> {
    this.#options.log({ event: 'workers_replaced_one_by_one', workers: this.#members.size })
    for (const old of [...this.#members]) {
      if (this.#isStopping || old.state !== 'listening') continue
      const next = this.#hire()
      await Promise.race([next.listening.promise, next.ended.promise])
      if (next.state !== 'listening') {
        this.#options.log({ event: 'workers_not_replaced', problem: 'the new worker ended at once' })
        return
      }
      await this.#dismiss(old, drainMs)
    }
  }

  #hire(): Member {
    const worker = cluster.fork(this.#options.env)
    const member: Member = {
      worker,
      state: 'starting',
      listeningSince: undefined,
      listening: Promise.withResolvers<void>(),
      ended: Promise.withResolvers<void>(),
    }
    this.#members.add(member)
    worker.on('message', (message: WorkerMessage) => this.#hear(member, message))
    worker.on('error', () => {})
    worker.on('exit', (code, signal) => this.#ended(member, signal || `exit code ${code}`))
    return member
  }

  #hear(member: Member, message: WorkerMessage): void {
    switch (message.type) {
      case 'opened':
        this.#limitsShared &&= message.limitsShared
        if (member.state === 'starting') member.state = 'opened'
        this.#letListen()
        break
      case 'listening':
        if (member.state !== 'stopping') member.state = 'listening'
        member.listeningSince = performance.now()
        member.listening.resolve()
        if (
          [...this.#members].filter(({ state }) => state === 'listening').length === this.#options.workers
        ) {
          this.#allListen.resolve()
        }
        break
      case 'limits_wanted':
        this.#relay.join(member.worker)
        break
      case 'limits':
        this.#relay.heard(member.worker, message)
        break
    }
  }

  /** At the start they wait for one another; later each begins when it can. */
  #letListen(): void {
    const opened = [...this.#members].filter(({ state }) => state === 'opened')
    const there = [...this.#members].filter(({ state }) => state === 'opened' || state === 'listening')
    if (!this.#isRunning && there.length < this.#options.workers) return
    for (const { worker } of opened) tell(worker, { type: 'listen' })
  }

  #ended(member: Member, how: string): void {
    this.#members.delete(member)
    this.#relay.leave(member.worker)
    const wasTold = member.state === 'stopping'
    member.state = 'stopping'
    member.ended.resolve()
    if (!this.#isStopping && !wasTold) this.#follow(member, how)
  }

  /** Decides what follows an end that nobody asked for. */
  #follow({ worker, listeningSince }: Member, how: string): void {
    const { workers, log } = this.#options
    const now = performance.now()
    const isSettled = (since: number | undefined): boolean => since !== undefined && now - since >= settledMs
    this.#endedInARow = isSettled(listeningSince) ? 0 : this.#endedInARow + 1
    const othersAnswer = [...this.#members].some((member) => isSettled(member.listeningSince))
    const restart = decideRestart({ inARow: this.#endedInARow, workers, othersAnswer })
    // `pid` is in every line: that of the process which writes it.
    const { pid: worker_pid } = worker.process
    if (restart.outcome === 'give_up') {
      log({ event: 'worker_ended', worker_pid, with: how })
      this.#failure.reject(workersFail(this.#endedInARow, how))
      return
    }
    log({ event: 'worker_ended', worker_pid, with: how, started_again_in_ms: restart.afterMs })
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      // A replacement may have taken its place.
      if (!this.#isStopping && this.#members.size < workers) this.#hire()
    }, restart.afterMs)
    this.#timers.add(timer)
  }

  async #dismiss(member: Member, drainFor: number): Promise<void> {
    member.state = 'stopping'
    tell(member.worker, { type: 'stop', drainMs: drainFor })
    const tooLate = () => member.worker.process.kill('SIGKILL')
    const timer = setTimeout(tooLate, this.#options.patienceMs ?? defaultPatienceMs)
    await member.ended.promise
    clearTimeout(timer)
  }
}

function tell(worker: Worker, message: PrimaryMessage): void {
  if (worker.isConnected()) worker.send(message, () => {})
}

function workersFail(times: number, last: string): HallpassError {
  return new HallpassError(
    'workers_fail',
    `${times} workers in a row ended soon after their start, the last with ${last}`,
    'see above what they said; hallpass serve --workers 1 runs the same in one process',
  )
}
