// Asks what is known of a picture. It does not fetch the picture itself: that is done, and written down, when it is shown.
import type { Picture } from '../../client';
import { picturePath } from '../../client/pictures';
import { type Asked, useAnswer } from '../../state/answers';
import { useProject } from '../../state/project';

export function usePicture(id: string | null): Asked<Picture> & { picture: Picture | null } {
  const project = useProject();
  const asked = useAnswer(id === null ? null : picturePath.known(project.slug, id));
  // While the next one is on its way, `answer` is still the one before.
  const picture = asked.answer?.screenshot_id === id ? asked.answer : null;
  return { ...asked, picture };
}
