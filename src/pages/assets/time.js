/** Puts the times of a page into the reader's own time zone, and the marked ones into words such as «3 days ago». */
const units = [
  { unit: 'year', seconds: 365 * 86_400, from: 2 },
  { unit: 'month', seconds: 30 * 86_400, from: 2 },
  { unit: 'week', seconds: 7 * 86_400, from: 2 },
  { unit: 'day', seconds: 86_400, from: 1 },
  { unit: 'hour', seconds: 3600, from: 1 },
  { unit: 'minute', seconds: 60, from: 1 },
]
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const full = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short' })
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long' })

for (const element of document.querySelectorAll('time[datetime]')) {
  const at = new Date(element.dateTime)
  if (Number.isNaN(at.getTime())) continue
  if ('relative' in element.dataset) {
    element.title = full.format(at)
    element.textContent = ago(at)
  } else {
    // What was only a day stays one.
    element.title = full.format(at)
    element.textContent = /\d:\d/.test(element.textContent) ? full.format(at) : day.format(at)
  }
}

function ago(at) {
  const seconds = (at.getTime() - Date.now()) / 1000
  // Large units only from two on: «last month» can mean any of sixty days.
  const fitting = units.find((each) => Math.abs(seconds) >= each.from * each.seconds)
  return fitting ? relative.format(Math.trunc(seconds / fitting.seconds), fitting.unit) : 'just now'
}
