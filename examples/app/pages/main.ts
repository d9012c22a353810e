import './battle/battle.ts'
import './stages/limit.ts'
import './stages/sessions.ts'
import './stages/invalidation.ts'
