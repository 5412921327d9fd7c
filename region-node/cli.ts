// Runs the `region-node` command by itself: `node region-node/cli.ts --help`.
import { regionNodeCommand } from './command.ts'

await regionNodeCommand().parseAsync()
