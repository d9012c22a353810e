import { element } from '../elements.ts'
import { SessionColumn } from './session-column.ts'
import { View } from './view.ts'
import { Visitor } from './visitor.ts'

// The end of a session is asked for at once after the other log-in; this is for those that end in other ways.
const lookEveryMs = 2_000

const visitor = new Visitor()
const view = new View(element('sessions-stage'))
const here: SessionColumn = new SessionColumn('here', visitor, atMs => elsewhere.otherLogIn(atMs))
const elsewhere: SessionColumn = new SessionColumn('elsewhere', visitor, atMs => here.otherLogIn(atMs))

setInterval(() => {
  if (!view.visible) return
  here.look()
  elsewhere.look()
}, lookEveryMs)
