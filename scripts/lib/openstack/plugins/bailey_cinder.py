"""Cinder's own logging driver, which lacks what its fake volume group lacks.

There is no storage here: growing a volume and filling it from an image change Cinder's record alone.
"""

from cinder.tests import fake_driver


class RecordDriver(fake_driver.FakeLoggingVolumeDriver):
    def extend_volume(self, volume, new_size):
        pass

    def copy_image_to_volume(self, context, volume, image_service, image_id, disable_sparse=False):
        pass
