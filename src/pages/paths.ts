/** Where a user types the code that a device shows (protocol §5.3). */
export const activationPath = '/user-api-key/activate'

/** The page with the apps that a user has approved. */
export const appsPath = '/hallpass/apps'

/** The reference of all refusals; a reason's own page is below it. */
export const errorDocsPath = '/hallpass/docs/errors'

/**
 * Sends a visitor to where one signs in, whoever looks after that: local accounts, or the application. `redirect` in its
 * query says where to go afterwards.
 */
export const goAndSignInPath = '/hallpass/sign-in'

/** Where a person signs in to a local account. `redirect` in its query says where to go afterwards. */
export const signInPath = '/login'

/** Where visitors are sent on to the service that they sign in at, on sites that have one. */
export const externalSignInPath = '/hallpass/sign-in/external'
