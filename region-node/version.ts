// The version of the node that is running, as package.json has it.
export const version = '0.1.0'
