// Starts the pages in the browser. It sets the theme before anything is drawn.
import { createRoot } from 'react-dom/client';
import { Shell } from './components/shell/Shell';
import { applyTheme } from './state/theme';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/shell.css';
import './styles/parts.css';

applyTheme();
createRoot(document.getElementById('root')!).render(<Shell />);
