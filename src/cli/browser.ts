import { release } from 'node:os'

/**
 * Opens `url` in the user's browser, if there is one to be seen: not over SSH, and on Linux only with a display. False
 * when nothing was opened; a browser that fails later is not noticed, so the address must be shown in any case.
 */
export async function openInBrowser(url: string): Promise<boolean> {
  if (!canShowBrowser()) return false
  try {
    const { default: open } = await import('open')
    const opener = await open(url)
    // Without a listener its failure would end the command.
    opener.on('error', () => {})
    return true
  } catch {
    return false
  }
}

function canShowBrowser(): boolean {
  const { SSH_CONNECTION, SSH_TTY, DISPLAY, WAYLAND_DISPLAY, BROWSER } = process.env
  if (BROWSER) return true
  if (SSH_CONNECTION || SSH_TTY) return false
  const isWindowsSubsystem = /microsoft/i.test(release())
  return process.platform !== 'linux' || isWindowsSubsystem || Boolean(DISPLAY || WAYLAND_DISPLAY)
}
