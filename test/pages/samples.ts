/** Every page with ordinary and with extreme models, for the tests and for the screenshots. */
import {
  type ActivationModel,
  activationDonePage,
  activationPage,
  enterCodePage,
} from '../../src/pages/activate.ts'
import { appsPage } from '../../src/pages/apps.ts'
import { type ConsentModel, consentPage } from '../../src/pages/consent.ts'
import { errorPage } from '../../src/pages/error.ts'
import { errorDocsIndexPage, errorDocsPage } from '../../src/pages/error-docs.ts'
import type { Html } from '../../src/pages/html.ts'
import { type OneTimePasswordModel, oneTimePasswordPage } from '../../src/pages/one-time-password.ts'
import { oneTimeSignInPage } from '../../src/pages/one-time-sign-in.ts'
import { authorizationRefusedPage } from '../../src/pages/refused.ts'
import { resultPage } from '../../src/pages/result.ts'
import { signInPage } from '../../src/pages/sign-in.ts'
import { signInAtApplicationPage } from '../../src/pages/sign-in-at-application.ts'
import { refusal } from '../../src/protocol/errors.ts'

const siteTitle = 'Meadow'
const now = Date.UTC(2026, 10, 24, 9, 30)
const day = 86_400_000
const docs = 'https://meadow.example/hallpass/docs/errors'

/** A name that tries to break out of the page, and one that tries to rearrange it. */
export const breakingName = '"><script>alert(1)</script><style>*{display:none}</style>'
export const turningName = 'Meadow\u202Egnp.ppa\u202C \u2066verified\u2069\u0000\n\nSigned in\u200Bas admin'
export const endlessName: string = 'W'.repeat(500)
const speakingName =
  'Meadow Security” has been checked by the administrators. Press Authorize to keep your account. “All is well'

export const consentModel: ConsentModel = {
  siteTitle,
  applicationName: 'Pocket Reader',
  clientId: 'c0ffee',
  user: { username: 'ada', name: 'Ada Lovelace' },
  scopes: [
    {
      name: 'notifications',
      label: 'Read your notifications and mark them as read',
      description:
        'GET /notifications and /notifications/totals, PUT /notifications/mark-read and /notifications/read.',
    },
    {
      name: 'session_info',
      label: 'See who you are',
      description: 'GET /session/current and /u/USERNAME/topic-tracking-state.',
    },
  ],
  writeWarning: false,
  expiresAt: now + 30 * day,
  redirectHost: 'reader.example.com',
  redirectIsLoopback: false,
  action: '/user-api-key',
  csrfToken: 'token-1',
  parameters: {
    nonce: 'n-1',
    scopes: 'notifications,session_info',
    client_id: 'c0ffee',
    application_name: 'Pocket Reader',
    public_key: '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n',
    auth_redirect: 'https://reader.example.com/callback?from=meadow',
    push_url: '',
    padding: 'oaep',
    expires_in_seconds: '2592000',
  },
  alreadyHas: null,
}

const write = {
  name: 'write',
  label: 'Read everything, and post, edit and delete in your name',
  description: 'GET, POST, PATCH, PUT and DELETE of every route; includes read.',
}

const endlessRequest: ConsentModel = {
  ...consentModel,
  siteTitle: `The ${'extraordinarily '.repeat(4)}long-named site of Donaudampfschifffahrtsgesellschaftskapitän`,
  applicationName: endlessName,
  user: { username: 'u'.repeat(60), name: 'ن'.repeat(80) },
  scopes: [
    ...consentModel.scopes,
    write,
    { name: 'own:thing', label: 'L'.repeat(120), description: 'D'.repeat(300) },
  ],
  writeWarning: true,
  redirectHost: `${'sub.'.repeat(50)}example.com:65535`,
  switchUserAction: '/hallpass/switch',
}

/** Values as a request has them, ordinary and not. */
const narrowedScopes: ConsentModel['scopes'] = [
  {
    name: 'shop:orders',
    label: 'See your orders',
    description: 'GET /orders and /orders/ID.',
    allowedParameters: { customer_id: ['12', '13'] },
  },
  ...consentModel.scopes,
]

export const strangeValues: readonly string[] = [
  '"><script>alert(1)</script>',
  '12” or “13',
  'invoice\u202Egnp.ppa\u202C',
  'W'.repeat(200),
  'ن'.repeat(60),
  'a b',
  ...Array.from({ length: 20 }, (_, index) => `${index}`),
]

const strangelyNarrowed: ConsentModel['scopes'] = [
  {
    name: 'shop:orders',
    label: 'See your orders',
    description: 'GET /orders and /orders/ID.',
    allowedParameters: {
      customer_id: strangeValues,
      a_parameter_with_quite_a_long_name: ['7d3f8f2e-3f0b-4b07-9c3a-2f6a5b1f1c55', 'open'],
      state: ['open'],
    },
  },
]

const example = `https://meadow.example/user-api-key/new?application_name=My+app&client_id=my-app-1&scopes=read&nonce=${'a1b2c3d4'.repeat(4)}&public_key=-----BEGIN+PUBLIC+KEY-----%0AMIIBIjANBgkq…%0A-----END+PUBLIC+KEY-----`

const payload = `${'kR3+x/Zq7mW2'.repeat(28)}pQ==`

const apps = [
  {
    id: 3,
    applicationName: 'Pocket Reader',
    clientId: 'c0ffee',
    scopes: consentModel.scopes,
    createdAt: now - 40 * day,
    lastUsedAt: now - 3 * 3_600_000,
    useCount: 1204,
    expiresAt: now + 30 * day,
    revokedAt: null,
  },
  {
    id: 7,
    applicationName: 'Nightly backup',
    clientId: 'backup',
    scopes: [write],
    createdAt: now - 400 * day,
    lastUsedAt: null,
    useCount: 0,
    expiresAt: null,
    revokedAt: null,
  },
  {
    id: 8,
    applicationName: 'Old phone',
    clientId: 'phone',
    scopes: consentModel.scopes,
    createdAt: now - 90 * day,
    lastUsedAt: now - 20 * day,
    useCount: 1,
    expiresAt: now - 2 * day,
    revokedAt: null,
  },
  {
    id: 9,
    applicationName: 'Card maker',
    clientId: 'cards',
    scopes: consentModel.scopes,
    createdAt: now - 9 * day,
    lastUsedAt: now - 8 * day,
    useCount: 37,
    expiresAt: null,
    revokedAt: now - 60_000 * 5,
  },
]
const appsModel = {
  siteTitle,
  signOutAction: '/hallpass/sign-out',
  user: { username: 'ada', name: 'Ada Lovelace' },
  csrfToken: 'token-1',
  apps,
  now,
}

const incomplete = refusal('parameters_missing', {
  missing: 'nonce, client_id and public_key',
  first: 'nonce',
  example,
})
const redirectRefused = refusal('auth_redirect_not_allowed', {
  auth_redirect: 'https://reader.example.com/callback',
  entry: 'https://reader.example.com/callback',
})
const signIn = { siteTitle, csrfToken: 'token-1', action: '/login', redirect: '/hallpass/authorize/abc' }

const enterCode = {
  siteTitle,
  user: consentModel.user,
  csrfToken: 'token-1',
  action: '/user-api-key/activate',
  switchUserAction: '/hallpass/switch',
}
const byLink = {
  by: 'link',
  requestToken: 'ABCD2345',
  link: 'https://forum.example.com/user-api-key/activate?request=ABCD2345',
  invalidCode: false,
} as const

const activation: ActivationModel = {
  siteTitle,
  applicationName: 'Meadow terminal',
  clientId: 'c0ffee',
  user: consentModel.user,
  scopes: consentModel.scopes,
  writeWarning: false,
  unregisteredClient: false,
  expiresAt: now + 30 * day,
  csrfToken: 'token-1',
  authorizeAction: '/user-api-key/device/authorize',
  denyAction: '/user-api-key/device/deny',
  handle: { by: 'approval', approvalToken: 'a'.repeat(64) },
}

const oneTimePassword: OneTimePasswordModel = {
  siteTitle,
  applicationName: 'Discourse Hub',
  user: consentModel.user,
  authRedirect: 'discourse://auth_redirect',
  redirectHost: null,
  redirectIsLoopback: false,
  action: '/user-api-key/otp',
  csrfToken: 'token-1',
  parameters: { application_name: 'Discourse Hub', auth_redirect: 'discourse://auth_redirect' },
  switchUserAction: '/hallpass/switch',
}
const oneTimeSignIn = {
  siteTitle,
  user: consentModel.user,
  action: `/session/otp/${'a1'.repeat(16)}`,
  csrfToken: 'token-1',
}
const oneTimePasswordInvalid = refusal('one_time_password_invalid', { minutes: 10 })

/** The pages by the names that their screenshots get. */
export const samples: Readonly<Record<string, Html>> = {
  'sign-in-at-application': signInAtApplicationPage({
    siteTitle,
    goOn: '/hallpass/sign-in?redirect=%2Fhallpass%2Fapps',
    refusal: refusal('not_signed_in'),
  }),
  'sign-in-at-application-for-app': signInAtApplicationPage({
    siteTitle,
    goOn: '/hallpass/sign-in?redirect=%2Fhallpass%2Fauthorize%2F1',
    refusal: refusal('not_signed_in'),
    applicationName: breakingName,
  }),
  'sign-in': signInPage(signIn),
  'sign-in-for-app': signInPage({ ...signIn, applicationName: 'Pocket Reader' }),
  'sign-in-failed': signInPage({
    ...signIn,
    login: 'ada',
    refusal: refusal('credentials_invalid'),
    applicationName: speakingName,
  }),
  consent: consentPage(consentModel),
  'consent-write': consentPage({
    ...consentModel,
    applicationName: 'Nightly backup',
    scopes: [write],
    writeWarning: true,
    expiresAt: null,
    redirectHost: '127.0.0.1:8787',
    redirectIsLoopback: true,
    parameters: { ...consentModel.parameters, auth_redirect: 'http://127.0.0.1:8787/callback' },
    alreadyHas: { createdAt: now - 80 * day, lastUsedAt: now - 2 * day },
    switchUserAction: '/hallpass/switch',
  }),
  'consent-scheme': consentPage({
    ...consentModel,
    redirectHost: null,
    parameters: { ...consentModel.parameters, auth_redirect: 'discourse://auth_redirect' },
  }),
  'consent-copy': consentPage({
    ...consentModel,
    applicationName: speakingName,
    redirectHost: null,
    parameters: { ...consentModel.parameters, auth_redirect: '' },
  }),
  'consent-breaking': consentPage({ ...consentModel, applicationName: breakingName }),
  'consent-turning': consentPage({ ...consentModel, applicationName: turningName }),
  'consent-endless': consentPage(endlessRequest),
  'consent-narrowed': consentPage({ ...consentModel, scopes: narrowedScopes }),
  'consent-narrowed-strange': consentPage({ ...consentModel, scopes: strangelyNarrowed }),
  'one-time-password': oneTimePasswordPage(oneTimePassword),
  'one-time-password-endless': oneTimePasswordPage({
    ...oneTimePassword,
    siteTitle: endlessRequest.siteTitle,
    applicationName: endlessName,
    user: endlessRequest.user,
    authRedirect: `https://${endlessRequest.redirectHost}/${'callback'.repeat(40)}`,
    redirectHost: endlessRequest.redirectHost,
  }),
  'one-time-password-breaking': oneTimePasswordPage({ ...oneTimePassword, applicationName: breakingName }),
  'one-time-sign-in': oneTimeSignInPage(oneTimeSignIn),
  'one-time-sign-in-other': oneTimeSignInPage({ ...oneTimeSignIn, signedInAs: 'grace' }),
  'one-time-sign-in-endless': oneTimeSignInPage({
    ...oneTimeSignIn,
    siteTitle: endlessRequest.siteTitle,
    user: endlessRequest.user,
    signedInAs: endlessRequest.user.username,
  }),
  'one-time-sign-in-failed': errorPage({
    siteTitle,
    refusal: oneTimePasswordInvalid,
    docsUrl: `${docs}/one_time_password_invalid`,
  }),
  'activate-code': enterCodePage(enterCode),
  'activate-code-invalid': enterCodePage({ ...enterCode, problem: 'invalid_code' }),
  'activate-code-expired': enterCodePage({ ...enterCode, problem: 'expired_code' }),
  activate: activationPage(activation),
  'activate-write': activationPage({
    ...activation,
    scopes: [write],
    writeWarning: true,
    unregisteredClient: true,
    expiresAt: null,
  }),
  'activate-link': activationPage({ ...activation, handle: byLink }),
  'activate-link-wrong': activationPage({ ...activation, handle: { ...byLink, invalidCode: true } }),
  'activate-narrowed': activationPage({ ...activation, scopes: narrowedScopes }),
  'activate-endless': activationPage({
    ...activation,
    siteTitle: endlessRequest.siteTitle,
    applicationName: endlessName,
    clientId: endlessName,
    user: endlessRequest.user,
    scopes: endlessRequest.scopes,
    unregisteredClient: true,
  }),
  'activate-breaking': activationPage({
    ...activation,
    applicationName: breakingName,
    clientId: breakingName,
  }),
  'activate-done': activationDonePage({ siteTitle, denied: false }),
  'activate-denied': activationDonePage({ siteTitle, denied: true }),
  refused: authorizationRefusedPage({
    siteTitle,
    state: 'generic_error',
    refusal: incomplete,
    docsUrl: `${docs}/parameters_missing`,
  }),
  'refused-redirect': authorizationRefusedPage({
    siteTitle,
    state: 'generic_error',
    refusal: redirectRefused,
    docsUrl: `${docs}/auth_redirect_not_allowed`,
    applicationName: breakingName,
  }),
  'refused-level': authorizationRefusedPage({
    siteTitle,
    state: 'no_trust_level',
    refusal: refusal('group_not_allowed'),
    docsUrl: `${docs}/group_not_allowed`,
    applicationName: 'Pocket Reader',
  }),
  result: resultPage({ siteTitle, applicationName: 'Nightly backup', payload }),
  'result-narrowed': resultPage({
    siteTitle,
    applicationName: 'Nightly backup',
    payload,
    scopes: narrowedScopes,
  }),
  'result-endless': resultPage({ siteTitle, applicationName: endlessName, payload: payload.repeat(3) }),
  apps: appsPage(appsModel),
  'apps-of-application': appsPage({ siteTitle, user: appsModel.user, csrfToken: 'token-1', apps, now }),
  'apps-narrowed': appsPage({
    ...appsModel,
    apps: apps.map((app, index) => ({ ...app, scopes: index === 1 ? strangelyNarrowed : narrowedScopes })),
  }),
  'apps-empty': appsPage({ ...appsModel, apps: [] }),
  'apps-extreme': appsPage({
    ...appsModel,
    user: { username: 'u'.repeat(60), name: '' },
    apps: [breakingName, turningName, endlessName].map((applicationName, index) => ({
      id: index + 1,
      applicationName,
      clientId: endlessName,
      scopes: endlessRequest.scopes,
      createdAt: now,
      lastUsedAt: now,
      useCount: 10 ** 9,
      expiresAt: null,
      revokedAt: index === 2 ? now : null,
    })),
  }),
  'error-not-found': errorPage({
    siteTitle,
    refusal: refusal('not_found', { what: 'page of that name' }),
    docsUrl: `${docs}/not_found`,
  }),
  'error-rate-limited': errorPage({
    siteTitle,
    refusal: refusal('rate_limited', {
      limit: 'max_sign_in_attempts_per_minute',
      wait_seconds: 42,
      time_left: '42 seconds',
    }),
    docsUrl: `${docs}/rate_limited`,
  }),
  'error-internal': errorPage({
    siteTitle,
    refusal: refusal('internal', { request_id: 'q7v2-0042' }),
    docsUrl: `${docs}/internal`,
    traceId: 'q7v2-0042',
  }),
  'error-sign-in-needed': errorPage({
    siteTitle,
    refusal: refusal('not_signed_in'),
    docsUrl: `${docs}/not_signed_in`,
  }),
  'docs-index': errorDocsIndexPage(),
  'docs-reason': errorDocsPage('payload_too_large'),
}
