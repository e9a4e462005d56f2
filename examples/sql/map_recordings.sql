SELECT count(*) FROM map_recordings(x_from => 0, y_from => 0, k => 10);
