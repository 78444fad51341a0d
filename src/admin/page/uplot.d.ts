// Served from its package under this name.
export { default } from 'uplot';
