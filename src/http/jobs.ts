/** What comes round by itself, for administrators: how the jobs stand, and running one by hand. */
import type { JobState } from '../domain/job-state.ts'
import { json, refused } from './answer.ts'
import { actorOf, type Router, routesOf, type Service } from './service.ts'

export function addJobRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)

  route('GET', '/hallpass/jobs', { who: 'admin' }, async () => {
    return json({ jobs: (await service.jobs.states()).map(jobJson) })
  })

  // Answers once the run has ended. That it ended badly is an answer like any other: the run was asked for, and made.
  route('POST', '/hallpass/jobs/:name/run', { who: 'admin' }, async (call) => {
    const answer = await service.jobs.run(call.segment('name'), actorOf(call))
    if (answer.outcome === 'ran') return json({ job: jobJson(answer.job) })
    return refused(call.visit, answer.refusal, service.domain.settings.current().title)
  })
}

/** A job as JSON: times in ISO 8601, lengths in seconds. */
export function jobJson(job: JobState): Record<string, unknown> {
  return {
    name: job.name,
    description: job.description,
    every_seconds: job.everyMs / 1000,
    running: job.isRunning,
    last_started_at: isoOrNull(job.lastStartedAt),
    last_finished_at: isoOrNull(job.lastFinishedAt),
    outcome: job.outcome,
    summary: job.summary,
    next_run_at: isoOrNull(job.nextRunAt),
  }
}

function isoOrNull(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}
