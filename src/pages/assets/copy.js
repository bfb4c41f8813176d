/** The button «Copy Key» of the result page. Without it, the key is still there to be selected. */
const button = document.getElementById('copy-api-key-btn')
const code = document.getElementById('user-api-key-payload')

if (button && code) {
  const label = button.textContent
  let restore = 0
  button.setAttribute('aria-live', 'polite')

  button.addEventListener('click', async () => {
    const copied = await copy(payload(code))
    button.textContent = copied ? 'Copied!' : 'Press Ctrl+C to copy'
    button.classList.toggle('is-done', copied)
    clearTimeout(restore)
    restore = setTimeout(() => {
      button.textContent = label
      button.classList.remove('is-done')
    }, 5000)
  })

  // Selecting the key by hand and copying it gives the same clean text as the button.
  document.addEventListener('copy', (event) => {
    const selection = getSelection()
    if (!selection || !event.clipboardData || !code.contains(selection.anchorNode)) return
    event.clipboardData.setData('text/plain', selection.toString().replace(/\s+/g, ''))
    event.preventDefault()
  })
}

/** The key without any white space, which is plain Base64. */
function payload(element) {
  return element.textContent.replace(/\s+/g, '')
}

/** Browsers offer the clipboard on secure sites only; elsewhere the old command still copies a selection. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    getSelection()?.selectAllChildren(code)
    try {
      return document.execCommand('copy')
    } catch {
      return false
    }
  }
}
