import { type Command, parseCommandLine, usage } from './command-line.ts'
import { drills } from './drills/registry.ts'
import { runCommand } from './run-command.ts'
import { scenarios } from './scenarios/registry.ts'

function commandLine (): Command | undefined {
  try {
    return parseCommandLine(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    console.error(`${error.message}\n\n${usage}`)
    process.exitCode = 2
    return undefined
  }
}

const command = commandLine()
if (command !== undefined) process.exitCode = await runCommand(command, { scenarios, drills, print: text => console.log(text) })
