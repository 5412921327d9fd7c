// Jest transform: the same type stripping that Node itself does, so that what is tested is what runs.
const { stripTypeScriptTypes } = require('node:module')

module.exports = {
  process(source) {
    return { code: stripTypeScriptTypes(source, { mode: 'strip' }) }
  },
}
