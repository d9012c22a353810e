import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, ignores: ['**/dist/', '**/.tap/'] }),
  {
    rules: {
      // A line that needs more is two thoughts; URLs and messages excepted.
      '@stylistic/max-len': ['error', { code: 180, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true }],
      '@stylistic/comma-dangle': ['error', 'never'],
      'no-console': 'error'
    }
  },
  // The commands of the repository speak to a terminal.
  { files: ['.ci/**', 'packages/bench/**'], rules: { 'no-console': 'off' } }
]
