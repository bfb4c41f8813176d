import type { Reason, Refusal } from '../protocol/errors.ts'

/** A refusal in the words of somebody who is not a developer. */
export interface VisitorText {
  /** What happened, as a heading. */
  readonly title: string
  /** What it means for them and what they can do, in one or two sentences. */
  readonly lead: string
}

/** Says to the person before the screen what happened and what they can do. */
export function visitorText({ reason, status, details }: Refusal): VisitorText {
  if (reason === 'rate_limited') {
    return {
      title: 'That was too often',
      lead: `Please wait ${waiting(Number(details.wait_seconds))}, then try again.`,
    }
  }
  return byReason[reason] ?? byStatus[status] ?? otherwise
}

const byReason: Partial<Record<Reason, VisitorText>> = {
  one_time_password_invalid: {
    title: 'This sign-in does not work',
    lead: 'The one-time password is missing, invalid or expired: each works once, within ten minutes. Nobody was signed in. Go back to the app, and open the site from there again.',
  },
  request_expired: {
    title: 'This request has run out',
    lead: 'An app’s request waits only a while for its answer. Go back to the app and start again. Nothing has changed in your account.',
  },
  group_not_allowed: {
    title: 'Your account cannot approve apps yet',
    lead: 'This site lets only some accounts give apps access. Its administrators can tell you more. Nothing has changed in your account.',
  },
  not_signed_in: {
    title: 'Please sign in',
    lead: 'What you asked for is only there for somebody who is signed in.',
  },
  csrf_invalid: {
    title: 'This page was open for too long',
    lead: 'To keep your account safe, nothing was changed. Go back, load the page again, and try once more. Your browser has to accept this site’s cookies.',
  },
  credentials_invalid: {
    title: 'Username and password do not match',
    lead: 'Check both, then try again. Capital letters count in the password.',
  },
  not_found: {
    title: 'There is nothing here',
    lead: 'The address may be mistyped, or what was here is gone.',
  },
  store_unavailable: {
    title: 'The site is taking a short break',
    lead: 'It cannot look anything up at the moment, so nothing was decided. Try again in a minute.',
  },
  users_unavailable: {
    title: 'The site is taking a short break',
    lead: 'It cannot tell who is who at the moment, so nobody was let in and nothing has changed. Try again in a minute.',
  },
  owner_suspended: {
    title: 'Your account is suspended',
    lead: 'While it is, it can approve no apps, and its apps have no access. Nothing else has changed.',
  },
  owner_inactive: {
    title: 'Your account is not active',
    lead: 'While it is not, it can approve no apps, and its apps have no access. Nothing else has changed.',
  },
  read_only: {
    title: 'The site is taking a short break',
    lead: 'Nothing can be changed at the moment. Try again in a minute.',
  },
}

const byStatus: Readonly<Record<number, VisitorText>> = {
  400: {
    title: 'That request could not be read',
    lead: 'Nothing has changed. If a link or an app brought you here, its makers can mend this with the details below.',
  },
  403: {
    title: 'You cannot do that here',
    lead: 'Nothing has changed. If you think that you should be able to, ask the administrators of this site.',
  },
  404: {
    title: 'There is nothing here',
    lead: 'The address may be mistyped, or what was here is gone.',
  },
  422: {
    title: 'That could not be saved',
    lead: 'Nothing has changed. The details below say what to mend.',
  },
  500: {
    title: 'Something went wrong on our side',
    lead: 'It is not your fault. Try again; if it stays like this, tell the administrators of this site.',
  },
}

const otherwise: VisitorText = {
  title: 'That did not work',
  lead: 'Nothing has changed. The details below say what was wrong.',
}

function waiting(seconds: number): string {
  if (!(seconds > 0)) return 'a moment'
  if (seconds < 100) return seconds === 1 ? 'a second' : `${seconds} seconds`
  const minutes = Math.ceil(seconds / 60)
  if (minutes < 100) return `${minutes} minutes`
  return `${Math.ceil(minutes / 60)} hours`
}
