/**
 * Takes out of a text whatever could be a secret, before it goes to the log: for the messages of errors and warnings, which
 * others have put into words. What Hallpass itself logs is named facts that hold none.
 */
export function withoutSecrets(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)([^/\s:@]*):[^/\s@]*@/gi, '$1$2:(secret)@')
    .replace(/(https?:\/\/[^\s?#"'<>]*)\?[^\s"'<>]*/gi, '$1?(left out)')
    .replace(secretPair, '$1$2(secret)')
    .replace(/[A-Za-z0-9_+=-]{32,}/g, (run) => (looksLikeWords(run) ? run : '(secret)'))
}

/** `password=…`, `"token": "…"`, `Authorization: Bearer …`. */
const secretPair =
  /\b(pass(?:word|wd)?|secret|token|otp|payload|cookie|authorization|(?:user[-_])?api[-_]key|(?:device|user)[-_]code|csrf[-_]token)(["']?\s*[=:]\s*["']?)(?:(?:bearer|basic)\s+)?[^\s"'&,;]+/gi

/** Names in a stack trace are long too, and are needed. */
function looksLikeWords(run: string): boolean {
  return !/\d/.test(run) && /^[A-Za-z_-]+$/.test(run) && /[a-z]{3}/.test(run) && run.length < 64
}
