// Reads a calendar from standard input by ical.js and prints what it takes each event for.
import { readFileSync } from 'node:fs'
import ICAL from 'ical.js'

const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, 'utf8')))
const events = calendar.getAllSubcomponents('vevent').map((component) => {
  const event = new ICAL.Event(component)
  return {
    uid: event.uid,
    seconds: event.startDate.toUnixTime(),
    summary: event.summary,
    description: event.description,
    sequence: event.sequence,
    status: component.getFirstPropertyValue('status'),
    url: component.getFirstPropertyValue('url'),
  }
})
console.log(JSON.stringify(events))
