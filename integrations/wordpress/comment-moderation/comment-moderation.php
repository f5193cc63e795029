<?php
/**
 * Plugin Name: Comment moderation
 * Description: Sends each new comment to your own moderation service, keeps it pending until the decision, and keeps WordPress and the moderators' queue in step.
 * Version: 1.0.0
 * Requires at least: 5.6
 * Requires PHP: 7.4
 * License: GPL-2.0-or-later
 * License URI: https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain: comment-moderation
 *
 * This program is free software; you can redistribute it and/or modify it under the terms of the GNU General Public
 * License as published by the Free Software Foundation; either version 2 of the License, or (at your option) any
 * later version. It is distributed without any warranty; see the license for details.
 *
 * @package Comment_Moderation
 */

namespace Comment_Moderation;

defined( 'ABSPATH' ) || exit;

const VERSION   = '1.0.0';
const MAIN_FILE = __FILE__;

require __DIR__ . '/includes/settings.php';
require __DIR__ . '/includes/client.php';
require __DIR__ . '/includes/record.php';
require __DIR__ . '/includes/decisions.php';
require __DIR__ . '/includes/answers.php';
require __DIR__ . '/includes/hidden-field.php';
require __DIR__ . '/includes/new-comments.php';
require __DIR__ . '/includes/changes.php';
require __DIR__ . '/includes/catch-up.php';
require __DIR__ . '/includes/webhook.php';
require __DIR__ . '/includes/import.php';

if ( is_admin() ) {
	require __DIR__ . '/includes/connection-test.php';
	require __DIR__ . '/includes/settings-page.php';
	require __DIR__ . '/includes/comments-list.php';
}

register_activation_hook( __FILE__, __NAMESPACE__ . '\\schedule_catch_up' );
register_deactivation_hook( __FILE__, __NAMESPACE__ . '\\unschedule_catch_up' );
